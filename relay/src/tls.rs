//! TLS without a proxy: a certificate chain and a key from files, read again when they change.

use data_encoding::BASE64;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::ParsedCertificate;

use crate::relay::lock;

/// Why TLS cannot be offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// A file is not there, not readable or not PEM. Remedy: check paths and permissions.
    #[error("the certificate or its key cannot be read")]
    Unreadable,
    /// The key is not the certificate's, or of a kind that TLS does not take. Remedy: the right pair of files.
    #[error("the certificate and the key do not belong together")]
    Mismatch,
}

/// Hashes of both files; a file that cannot be read has none.
type Stamps = [Option<blake3::Hash>; 2];

struct Loaded {
    stamps: Stamps,
    acceptor: TlsAcceptor,
}

/// The present certificate.
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    loaded: Mutex<Loaded>,
}

/// What phones pin: SHA-256 of the first certificate's SubjectPublicKeyInfo (RFC 7469, section 2.4), as `curl --pinnedpubkey`
/// takes it. It stays the same when a certificate is renewed with the same key. Errors: [`TlsError::Unreadable`].
pub fn pin(certificate: &Path) -> Result<String, TlsError> {
    let first = CertificateDer::from_pem_file(certificate).map_err(|_| TlsError::Unreadable)?;
    let key = ParsedCertificate::try_from(&first).map_err(|_| TlsError::Unreadable)?.subject_public_key_info();
    Ok(format!("sha256//{}", BASE64.encode(&Sha256::digest(&key))))
}

fn stamps(certificate: &Path, key: &Path) -> Stamps {
    [certificate, key].map(|path| fs::read(path).ok().map(|bytes| blake3::hash(&bytes)))
}

fn load(certificate: &Path, key: &Path) -> Result<TlsAcceptor, TlsError> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .map_err(|_| TlsError::Unreadable)?
        .collect::<Result<_, _>>()
        .map_err(|_| TlsError::Unreadable)?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|_| TlsError::Unreadable)?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| TlsError::Mismatch)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|_| TlsError::Mismatch)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

impl Tls {
    /// Reads both files.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let stamps = stamps(certificate, key);
        let acceptor = load(certificate, key)?;
        Ok(Self { certificate: certificate.to_path_buf(), key: key.to_path_buf(), loaded: Mutex::new(Loaded { stamps, acceptor }) })
    }

    /// Reads the files again if either changed; on failure the present certificate stays.
    pub fn reload(&self) -> Result<bool, TlsError> {
        let stamps = stamps(&self.certificate, &self.key);
        if lock(&self.loaded).stamps == stamps {
            return Ok(false);
        }
        let acceptor = load(&self.certificate, &self.key)?;
        *lock(&self.loaded) = Loaded { stamps, acceptor };
        Ok(true)
    }

    /// Takes the next connection's side.
    pub fn acceptor(&self) -> TlsAcceptor {
        lock(&self.loaded).acceptor.clone()
    }
}
