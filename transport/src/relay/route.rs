//! How a relay is reached: straight or through a proxy, and which key it must show.

use crate::error::TransportError;
use data_encoding::BASE64;
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;
use ureq::http::Uri;

/// What stands before a pin as text: the form that `curl --pinnedpubkey` takes.
const PIN_PREFIX: &str = "sha256//";
/// Longest name or password for a proxy (RFC 1929, bytes).
const LOGIN_MAX_BYTES: usize = 255;

/// The one key that a relay may show: SHA-256 of its certificate's SubjectPublicKeyInfo (RFC 7469, section 2.4).
///
/// A certificate may be renewed, signed by itself or out of date: only its key counts. As text: `sha256//` and Base64.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pin([u8; 32]);

impl Pin {
    /// Takes a digest that was pinned before.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
    /// The pin of a key: DER of its SubjectPublicKeyInfo (RFC 5280, section 4.1).
    pub fn of(subject_public_key_info: &[u8]) -> Self {
        Self(Sha256::digest(subject_public_key_info).into())
    }
    /// The digest.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PIN_PREFIX}{}", BASE64.encode(&self.0))
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin")
    }
}

impl FromStr for Pin {
    type Err = TransportError;

    /// Reads `sha256//…`. Errors: [`TransportError::Address`].
    fn from_str(text: &str) -> Result<Self, TransportError> {
        let digest = text.trim().strip_prefix(PIN_PREFIX).and_then(|rest| BASE64.decode(rest.as_bytes()).ok());
        digest.and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or(TransportError::Address)
    }
}

/// Which protocol a proxy speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyKind {
    /// SOCKS 5 (RFC 1928). The proxy looks names up, this machine never does: what Tor needs.
    Socks5,
    /// HTTP with CONNECT (RFC 9110, section 9.3.6).
    Http,
}

/// A proxy between this device and the relay.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Its protocol.
    pub kind: ProxyKind,
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Name and password. Tor takes any, and keeps the paths of different ones apart.
    pub login: Option<(String, String)>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proxy")
    }
}

impl FromStr for Proxy {
    type Err = TransportError;

    /// Reads `socks5h://[name:password@]host:port` or `http://…`. `socks5://` is refused: it asks for names to be looked up
    /// here, which tells the network where the relay is. Errors: [`TransportError::Address`].
    fn from_str(text: &str) -> Result<Self, TransportError> {
        let uri: Uri = text.trim().parse().map_err(|_| TransportError::Address)?;
        let kind = match uri.scheme_str() {
            Some("socks5h") => ProxyKind::Socks5,
            Some("http") => ProxyKind::Http,
            _ => return Err(TransportError::Address),
        };
        let authority = uri.authority().ok_or(TransportError::Address)?;
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(TransportError::Address);
        }
        let login = match authority.as_str().rsplit_once('@') {
            None => None,
            Some((login, _)) => {
                let (name, password) = login.split_once(':').ok_or(TransportError::Address)?;
                let is_long = |part: &str| part.is_empty() || part.len() > LOGIN_MAX_BYTES;
                if is_long(name) || is_long(password) {
                    return Err(TransportError::Address);
                }
                Some((name.to_owned(), password.to_owned()))
            }
        };
        let host = bare(authority.host()).to_owned();
        let port = authority.port_u16().filter(|_| !host.is_empty()).ok_or(TransportError::Address)?;
        Ok(Self { kind, host, port, login })
    }
}

/// How a relay is reached. The default: straight, any certificate that browsers would take.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Route {
    /// The one key that it may show; none takes any certificate that a known authority signed for its name.
    pub pin: Option<Pin>,
    /// Through which proxy.
    pub proxy: Option<Proxy>,
}

impl Route {
    /// Straight, to the one key with this digest, or to whom an authority knows.
    pub fn pinned(digest: Option<[u8; 32]>) -> Self {
        Self { pin: digest.map(Pin::from_bytes), proxy: None }
    }
}

/// A host without the brackets of IPv6.
pub(super) fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Checks a relay's address: `https://host[:port][/path]`, or `http://` for this machine only.
///
/// Errors: [`TransportError::Address`], [`TransportError::NotEncrypted`].
pub fn check_url(url: &str) -> Result<(), TransportError> {
    check_url_on(url, &Route::default())
}

/// The same for a route: through SOCKS an onion service may be `http://`, since Tor encrypts and proves it.
///
/// Errors: as [`check_url`]; [`TransportError::Address`] also for a pin without TLS, which would check nothing.
pub fn check_url_on(url: &str, route: &Route) -> Result<(), TransportError> {
    let uri: Uri = url.parse().map_err(|_| TransportError::Address)?;
    let authority = uri.authority().ok_or(TransportError::Address)?;
    if uri.query().is_some() || authority.as_str().contains('@') {
        return Err(TransportError::Address);
    }
    let host = bare(authority.host());
    let is_onion = route.proxy.as_ref().is_some_and(|proxy| proxy.kind == ProxyKind::Socks5) && host.ends_with(".onion");
    match uri.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if route.pin.is_some() => Err(TransportError::Address),
        Some("http") if is_loopback(host) || is_onion => Ok(()),
        Some("http") => Err(TransportError::NotEncrypted),
        _ => Err(TransportError::Address),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn addresses_are_checked_before_anything_is_sent() {
        for good in
            ["https://relay.example", "https://relay.example:8443/team", "http://127.0.0.1:8787", "http://[::1]:1/", "http://localhost:80"]
        {
            assert_eq!(check_url(good), Ok(()), "{good}");
        }
        for bad in ["http://relay.example", "http://10.0.0.1:80", "http://127.0.0.1.example", "http://abc.onion"] {
            assert_eq!(check_url(bad), Err(TransportError::NotEncrypted), "{bad}");
        }
        for bad in ["", "relay.example", "ftp://x", "https://user:pass@relay.example", "https://relay.example/?q", "https://"] {
            assert_eq!(check_url(bad), Err(TransportError::Address), "{bad}");
        }
    }

    #[test]
    fn an_onion_needs_no_tls_through_socks_and_nowhere_else() {
        let through = |proxy: &str| Route { proxy: Some(proxy.parse().unwrap()), pin: None };
        assert_eq!(check_url_on("http://abc.onion", &through("socks5h://127.0.0.1:9050")), Ok(()));
        assert_eq!(check_url_on("http://abc.onion", &through("http://127.0.0.1:3128")), Err(TransportError::NotEncrypted));
        assert_eq!(check_url_on("http://abc.onion.example", &through("socks5h://127.0.0.1:9050")), Err(TransportError::NotEncrypted));
        let pinned = Route { pin: Some(Pin::of(b"key")), proxy: None };
        assert_eq!(check_url_on("http://127.0.0.1:1", &pinned), Err(TransportError::Address), "nothing would check the pin");
        assert_eq!(check_url_on("https://10.0.0.1", &pinned), Ok(()));
    }

    #[test]
    fn proxies_are_read() {
        let tor: Proxy = "socks5h://127.0.0.1:9050".parse().unwrap();
        assert_eq!((tor.kind, tor.host.as_str(), tor.port, tor.login), (ProxyKind::Socks5, "127.0.0.1", 9050, None));
        let other: Proxy = "http://name:pass:word@[::1]:3128/".parse().unwrap();
        assert_eq!((other.kind, other.host.as_str(), other.port), (ProxyKind::Http, "::1", 3128));
        assert_eq!(other.login, Some(("name".to_owned(), "pass:word".to_owned())));
        for bad in
            ["", "127.0.0.1:9050", "socks5://127.0.0.1:9050", "socks5h://127.0.0.1", "https://h:1", "socks5h://n@h:1", "socks5h://h:1/x"]
        {
            assert_eq!(bad.parse::<Proxy>(), Err(TransportError::Address), "{bad}");
        }
    }

    #[test]
    fn a_pin_survives_as_text() {
        let pin = Pin::of(b"subject public key info");
        assert_eq!(pin.to_string().parse::<Pin>().unwrap(), pin);
        // SHA-256 of nothing (FIPS 180-4)
        assert_eq!(Pin::of(b"").to_string(), "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
        for bad in ["", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "sha256//47DE", "sha256//not base64"] {
            assert_eq!(bad.parse::<Pin>(), Err(TransportError::Address), "{bad}");
        }
    }
}
