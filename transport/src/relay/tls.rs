//! TLS to a relay: one pinned key, or the authorities that browsers know.

use super::route::Pin;
use crate::error::TransportError;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::sync::Arc;

/// Takes the one key that was pinned, whatever else the certificate says, and lets it prove itself.
///
/// Name, dates and issuer do not count: who pins a key has met its owner, and a certificate that an authority signed for
/// somebody in between is worth nothing against a pin.
#[derive(Debug)]
struct PinnedKey {
    pin: Pin,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for PinnedKey {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let key = ParsedCertificate::try_from(end_entity)?.subject_public_key_info();
        if Pin::of(&key) == self.pin {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// What a connection is made with. It remembers sessions, so that the next connection is cheaper; not behind a proxy: whoever
/// hides from where they call must not bring along a ticket that says who called before (RFC 8446, appendix C.4).
pub(super) fn config(pin: Option<Pin>, is_behind_proxy: bool) -> Result<Arc<ClientConfig>, TransportError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|_| TransportError::Tls)?;
    let builder = match pin {
        Some(pin) => builder.dangerous().with_custom_certificate_verifier(Arc::new(PinnedKey { pin, provider })),
        None => builder.with_root_certificates(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }),
    };
    let mut config = builder.with_no_client_auth();
    if is_behind_proxy {
        config.resumption = Resumption::disabled();
    }
    Ok(Arc::new(config))
}

/// Why a handshake failed.
pub(super) fn failure(error: &Error) -> TransportError {
    match error {
        // only `PinnedKey` says this
        Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure) => TransportError::Pin,
        _ => TransportError::Tls,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rustls::pki_types::PrivateKeyDer;
    use rustls::pki_types::pem::PemObject;
    use rustls::{ClientConnection, HandshakeKind, ServerConfig, ServerConnection};

    /// A whole handshake and what a server sends after it, in memory.
    fn connect(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> HandshakeKind {
        let mut client = ClientConnection::new(Arc::clone(client), ServerName::try_from("relay.example").unwrap()).unwrap();
        let mut server = ServerConnection::new(Arc::clone(server)).unwrap();
        for _ in 0..4 {
            let mut bytes = Vec::new();
            while client.wants_write() {
                client.write_tls(&mut bytes).unwrap();
            }
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                server.read_tls(&mut rest).unwrap();
                server.process_new_packets().unwrap();
            }
            let mut bytes = Vec::new();
            while server.wants_write() {
                server.write_tls(&mut bytes).unwrap();
            }
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                client.read_tls(&mut rest).unwrap();
                client.process_new_packets().unwrap();
            }
        }
        assert!(!client.is_handshaking() && !server.is_handshaking());
        server.handshake_kind().unwrap()
    }

    #[test]
    fn nothing_that_a_relay_handed_out_comes_back_through_a_proxy() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../relay/tests/tls");
        let certificate = CertificateDer::from_pem_file(folder.join("one.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(folder.join("one.key.pem")).unwrap();
        let pin = Pin::of(&ParsedCertificate::try_from(&certificate).unwrap().subject_public_key_info());
        let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let server = Arc::new(server);
        for (is_behind_proxy, second) in [(false, HandshakeKind::Resumed), (true, HandshakeKind::Full)] {
            let client = config(Some(pin), is_behind_proxy).unwrap();
            assert_eq!(connect(&client, &server), HandshakeKind::Full);
            assert_eq!(connect(&client, &server), second, "behind a proxy: {is_behind_proxy}");
        }
    }
}
