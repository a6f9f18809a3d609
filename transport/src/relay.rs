//! Requests to a relay: one POST each, as little in it as HTTP allows.

use crate::error::TransportError;
use satchel_wire::frame::{CONTENT_TYPE, Endpoint, ProblemCode};
use satchel_wire::limits::HTTP_BODY_MAX_BYTES;
use std::time::Duration;
use ureq::http::Uri;
use ureq::{Agent, Body, http};

/// Prefix of a problem's `type`, as relays write it (RFC 9457).
const PROBLEM_TYPE_PREFIX: &str = "urn:satchel:problem:";
/// Longest problem that is read (bytes).
const PROBLEM_MAX_BYTES: u64 = 4 * 1024;
/// For a connection (seconds).
const CONNECT_SECONDS: u64 = 10;
/// For one whole request with its answer (seconds).
const CALL_SECONDS: u64 = 60;

/// A relay's refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Problem {
    /// Which.
    pub code: ProblemCode,
    /// The relay's Unix time (seconds), with [`ProblemCode::ClockSkew`].
    pub relay_time: Option<u64>,
    /// When to try again (seconds from now), with [`ProblemCode::RateLimited`].
    pub retry_after: Option<u64>,
}

/// What a relay says to a request: an answer's frame, or a refusal.
pub type Answer = Result<Vec<u8>, Problem>;

/// A relay's address, and the connection to it.
pub struct Client {
    base: String,
    agent: Agent,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

/// Checks a relay's address: `https://host[:port][/path]`, or `http://` for this machine only.
///
/// Errors: [`TransportError::Address`], [`TransportError::NotEncrypted`].
pub fn check_url(url: &str) -> Result<(), TransportError> {
    let uri: Uri = url.parse().map_err(|_| TransportError::Address)?;
    let authority = uri.authority().ok_or(TransportError::Address)?;
    if uri.query().is_some() || authority.as_str().contains('@') {
        return Err(TransportError::Address);
    }
    match uri.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if is_loopback(authority.host()) => Ok(()),
        Some("http") => Err(TransportError::NotEncrypted),
        _ => Err(TransportError::Address),
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl Client {
    /// Takes an address; connects at the first request. Errors: as [`check_url`].
    pub fn new(url: &str) -> Result<Self, TransportError> {
        check_url(url)?;
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // a redirect, a proxy from the environment or a name of this program would tell others who asks
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .user_agent("")
            .accept("")
            .accept_encoding("")
            .timeout_connect(Some(Duration::from_secs(CONNECT_SECONDS)))
            .timeout_global(Some(Duration::from_secs(CALL_SECONDS)))
            .max_response_header_size(16 * 1024)
            .build();
        Ok(Self { base: url.trim_end_matches('/').to_owned(), agent: config.new_agent() })
    }

    /// Sends one request. A refusal by the relay is an answer, not an error.
    ///
    /// Errors: [`TransportError::Unreachable`], [`TransportError::IdleTimeout`], [`TransportError::Tls`],
    /// [`TransportError::TooLarge`] for an answer above 4 MiB, [`TransportError::NotARelay`].
    pub fn post(&self, endpoint: Endpoint, frame: &[u8]) -> Result<Answer, TransportError> {
        let url = format!("{}{}", self.base, endpoint.path());
        let mut response = self.agent.post(url).content_type(CONTENT_TYPE).send(frame).map_err(|error| of_request(&error))?;
        let status = response.status().as_u16();
        if status == 200 {
            let is_frame = response.body().mime_type() == Some(CONTENT_TYPE);
            if !is_frame {
                return Err(TransportError::NotARelay);
            }
            let body = response.body_mut().with_config().limit(HTTP_BODY_MAX_BYTES as u64);
            return Ok(Ok(body.read_to_vec().map_err(|error| of_request(&error))?));
        }
        problem(&mut response).map(Err)
    }
}

fn problem(response: &mut http::Response<Body>) -> Result<Problem, TransportError> {
    let retry_after = response.headers().get(http::header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let status = response.status().as_u16();
    let body = response.body_mut().with_config().limit(PROBLEM_MAX_BYTES).read_to_vec().map_err(|error| of_request(&error))?;
    let details: serde_json::Value = serde_json::from_slice(&body).map_err(|_| TransportError::NotARelay)?;
    let code = details.get("type").and_then(|kind| kind.as_str()?.strip_prefix(PROBLEM_TYPE_PREFIX)).and_then(ProblemCode::from_code);
    let code = code.filter(|code| code.status() == status).ok_or(TransportError::NotARelay)?;
    Ok(Problem { code, relay_time: details.get("relay_time").and_then(serde_json::Value::as_u64), retry_after })
}

fn of_request(error: &ureq::Error) -> TransportError {
    match error {
        ureq::Error::Timeout(_) => TransportError::IdleTimeout,
        ureq::Error::BodyExceedsLimit(_) => TransportError::TooLarge,
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => TransportError::Tls,
        ureq::Error::HostNotFound => TransportError::Unreachable { kind: std::io::ErrorKind::HostUnreachable },
        ureq::Error::ConnectionFailed => TransportError::Unreachable { kind: std::io::ErrorKind::ConnectionRefused },
        ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            TransportError::Unreachable { kind: error.kind() }
        }
        ureq::Error::Io(error) => crate::error::of_stream(error),
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => TransportError::Address,
        _ => TransportError::NotARelay,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    /// Answers one request with fixed bytes; returns what was asked, head and body.
    fn relay(answer: Vec<u8>) -> (Client, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = Client::new(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let asked = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\nframe") {
                stream.read_exact(&mut byte).unwrap();
                request.push(byte[0]);
            }
            // a client that stops reading an endless answer is what one of the tests wants
            let _ = stream.write_all(&answer);
            String::from_utf8(request).unwrap()
        });
        (client, asked)
    }

    fn answer(status: &str, kind: &str, body: &[u8]) -> Vec<u8> {
        let mut bytes = format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n", body.len()).into_bytes();
        bytes.extend_from_slice(body);
        bytes
    }

    #[test]
    fn a_request_says_no_more_than_http_needs() {
        let (client, asked) = relay(answer("200 OK", CONTENT_TYPE, b"pulled"));
        assert_eq!(client.post(Endpoint::Pull, b"frame").unwrap().unwrap(), b"pulled");
        let asked = asked.join().unwrap().to_lowercase();
        let head: Vec<&str> = asked.lines().take_while(|line| !line.is_empty()).collect();
        assert_eq!(head[0], "post /v1/pull http/1.1");
        let names: std::collections::BTreeSet<&str> = head[1..].iter().filter_map(|line| line.split(':').next()).collect();
        assert_eq!(names, ["content-length", "content-type", "host"].into());
    }

    #[test]
    fn every_problem_becomes_its_code() {
        for code in ProblemCode::ALL {
            let body =
                format!(r#"{{"type":"urn:satchel:problem:{}","title":"x","status":{},"relay_time":17}}"#, code.as_str(), code.status());
            let (client, asked) = relay(answer(&format!("{} x", code.status()), "application/problem+json", body.as_bytes()));
            let problem = client.post(Endpoint::Push, b"frame").unwrap().unwrap_err();
            assert_eq!(problem, Problem { code, relay_time: Some(17), retry_after: None });
            asked.join().unwrap();
        }
    }

    #[test]
    fn something_else_at_that_address_is_no_relay() {
        let wrong = [
            answer("200 OK", "text/html", b"hello"),
            answer("404 Not Found", "text/html", b"hello"),
            answer("302 Found", "text/html", b""),
            answer("401 x", "application/problem+json", br#"{"type":"urn:satchel:problem:internal"}"#),
            answer("401 x", "application/problem+json", br#"{"type":"about:blank"}"#),
        ];
        for wrong in wrong {
            let (client, asked) = relay(wrong);
            assert_eq!(client.post(Endpoint::Pull, b"frame").unwrap_err(), TransportError::NotARelay);
            asked.join().unwrap();
        }
    }

    #[test]
    fn an_answer_is_bounded() {
        let (client, asked) = relay(answer("200 OK", CONTENT_TYPE, &vec![0; HTTP_BODY_MAX_BYTES + 1]));
        assert_eq!(client.post(Endpoint::Pull, b"frame").unwrap_err(), TransportError::TooLarge);
        drop(client);
        asked.join().unwrap();
        let (client, asked) = relay(answer("200 OK", CONTENT_TYPE, &vec![0; HTTP_BODY_MAX_BYTES]));
        assert_eq!(client.post(Endpoint::Pull, b"frame").unwrap().unwrap().len(), HTTP_BODY_MAX_BYTES);
        asked.join().unwrap();
    }

    #[test]
    fn addresses_are_checked_before_anything_is_sent() {
        for good in
            ["https://relay.example", "https://relay.example:8443/team", "http://127.0.0.1:8787", "http://[::1]:1/", "http://localhost:80"]
        {
            assert_eq!(check_url(good), Ok(()), "{good}");
        }
        for bad in ["http://relay.example", "http://10.0.0.1:80", "http://127.0.0.1.example"] {
            assert_eq!(check_url(bad), Err(TransportError::NotEncrypted), "{bad}");
        }
        for bad in ["", "relay.example", "ftp://x", "https://user:pass@relay.example", "https://relay.example/?q", "https://"] {
            assert_eq!(check_url(bad), Err(TransportError::Address), "{bad}");
        }
    }

    #[test]
    fn nobody_there_is_unreachable() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        assert!(matches!(Client::new(&url).unwrap().post(Endpoint::Pull, b"frame"), Err(TransportError::Unreachable { .. })));
    }
}
