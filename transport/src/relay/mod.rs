//! Requests to a relay: one POST each, as little in it as HTTP allows, on one connection that is kept.
//!
//! | file | holds |
//! |---|---|
//! | `route` | addresses, proxies, pinned keys |
//! | `dial` | a TCP stream, straight or through a proxy |
//! | `tls` | who may answer |
//! | `socket` | the connection below HTTP |
//! | `breaker` | ending what blocks |
//! | `wire` | the bytes that pass, counted |

mod breaker;
mod dial;
mod route;
mod socket;
mod tls;
mod wire;

pub use breaker::{Breaker, Epoch};
pub use route::{Pin, Proxy, ProxyKind, Route, check_url, check_url_on};
pub use wire::Traffic;

use crate::error::TransportError;
use satchel_wire::frame::{CONTENT_TYPE, Endpoint, ProblemCode};
use satchel_wire::limits::HTTP_BODY_MAX_BYTES;
use socket::{Dialler, NoLookup};
use std::sync::Arc;
use std::time::Duration;
use ureq::{Agent, Body, http};
use wire::Counted;

/// Prefix of a problem's `type`, as relays write it (RFC 9457).
const PROBLEM_TYPE_PREFIX: &str = "urn:satchel:problem:";
/// Longest problem that is read (bytes).
const PROBLEM_MAX_BYTES: u64 = 4 * 1024;
/// How long a call may take.
#[derive(Clone, Copy)]
struct Patience {
    /// From a whole request to the beginning of its answer.
    answer: Duration,
    /// For a request's body, and for an answer's: the largest page at 28 kbit/s, as long as relays wait.
    body: Duration,
    /// Without a byte either way.
    silence: Duration,
}

const PATIENCE: Patience = Patience { answer: Duration::from_secs(60), body: Duration::from_secs(600), silence: Duration::from_secs(60) };
/// How long a connection that nobody uses is kept (seconds); relays close theirs earlier.
const IDLE_SECONDS: u64 = 300;

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

/// What a relay says to a request: an answer's frame (no bytes: nothing new), or a refusal.
pub type Answer = Result<Vec<u8>, Problem>;

/// A relay's address, and the connection to it. One call at a time.
pub struct Client {
    base: String,
    agent: Agent,
    breaker: Breaker,
    counted: Arc<Counted>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

impl Client {
    /// Takes an address; connects at the first request, straight, to whom an authority knows. Errors: as [`check_url`].
    pub fn new(url: &str) -> Result<Self, TransportError> {
        Self::on_route(url, Route::default())
    }

    /// The same on a route. Errors: as [`check_url_on`].
    pub fn on_route(url: &str, route: Route) -> Result<Self, TransportError> {
        Self::patient(url, route, PATIENCE)
    }

    fn patient(url: &str, route: Route, patience: Patience) -> Result<Self, TransportError> {
        check_url_on(url, &route)?;
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // a redirect, a proxy from the environment or a name of this program would tell others who asks
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .user_agent("")
            .accept("")
            .accept_encoding("")
            // not for the whole call: a page that comes slowly still comes
            .timeout_send_request(Some(patience.answer))
            .timeout_send_body(Some(patience.body))
            .timeout_recv_response(Some(patience.answer))
            .timeout_recv_body(Some(patience.body))
            .max_idle_age(Duration::from_secs(IDLE_SECONDS))
            .max_response_header_size(16 * 1024)
            .build();
        let (breaker, tls) = (Breaker::default(), tls::config(route.pin, route.proxy.is_some())?);
        let counted = Arc::new(Counted::default());
        let dialler = Dialler { route, breaker: breaker.clone(), tls, counted: Arc::clone(&counted), silence: patience.silence };
        Ok(Self { base: url.trim_end_matches('/').to_owned(), agent: Agent::with_parts(config, dialler, NoLookup), breaker, counted })
    }

    /// What ends a call from another thread.
    pub const fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    /// Bytes that passed since this was asked last, whatever became of them. What a proxy was told is not among them.
    pub fn take_traffic(&self) -> Traffic {
        self.counted.take()
    }

    /// Sends one request. A refusal by the relay is an answer, not an error.
    ///
    /// Errors: [`TransportError::Unreachable`], [`TransportError::IdleTimeout`], [`TransportError::Tls`], [`TransportError::Pin`],
    /// [`TransportError::Proxy`], [`TransportError::TooLarge`] for an answer above 4 MiB, [`TransportError::NotARelay`].
    pub fn post(&self, endpoint: Endpoint, frame: &[u8]) -> Result<Answer, TransportError> {
        self.post_since(self.breaker.epoch(), endpoint, frame)
    }

    /// The same, unless the breaker was cut since `epoch` or is cut meanwhile: then [`TransportError::Cancelled`].
    pub fn post_since(&self, epoch: Epoch, endpoint: Endpoint, frame: &[u8]) -> Result<Answer, TransportError> {
        self.breaker.arm(epoch)?;
        let url = format!("{}{}", self.base, endpoint.path());
        let mut response = self.agent.post(url).content_type(CONTENT_TYPE).send(frame).map_err(|error| of_request(&error))?;
        match response.status().as_u16() {
            200 if response.body().mime_type() == Some(CONTENT_TYPE) => {
                let body = response.body_mut().with_config().limit(HTTP_BODY_MAX_BYTES as u64);
                Ok(Ok(body.read_to_vec().map_err(|error| of_request(&error))?))
            }
            200 => Err(TransportError::NotARelay),
            204 => Ok(Ok(Vec::new())),
            _ => problem(&mut response).map(Err),
        }
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
        ureq::Error::Io(error) => {
            let ours = error.get_ref().and_then(|inner| inner.downcast_ref::<TransportError>());
            ours.copied().unwrap_or_else(|| crate::error::of_stream(error))
        }
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

    /// A relay that sends an answer's body in `pieces`, so many milliseconds apart, and then waits for its end; the answer or why not.
    fn trickled(pieces: usize, apart: u64) -> Result<usize, TransportError> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let patience = Patience { answer: Duration::from_millis(400), body: Duration::from_secs(20), silence: Duration::from_millis(400) };
        let client = Client::patient(&url, Route::default(), patience).unwrap();
        let sending = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut request, mut byte) = (Vec::new(), [0]);
            while !request.ends_with(b"\r\n\r\nframe") {
                stream.read_exact(&mut byte).unwrap();
                request.push(byte[0]);
            }
            let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {CONTENT_TYPE}\r\ncontent-length: {}\r\n\r\n", pieces * 10);
            stream.write_all(head.as_bytes()).unwrap();
            // nobody calls: what ends a slow wait is its time
            let (_keep, never) = std::sync::mpsc::channel::<()>();
            for _ in 0..pieces {
                let _ = never.recv_timeout(Duration::from_millis(apart));
                if stream.write_all(&[7; 10]).is_err() {
                    break;
                }
            }
        });
        let answer = client.post(Endpoint::Pull, b"frame").map(|answer| answer.unwrap().len());
        drop(client);
        sending.join().unwrap();
        answer
    }

    #[test]
    fn an_answer_that_comes_slowly_comes_and_one_that_stops_does_not_hold() {
        assert_eq!(trickled(12, 100), Ok(120), "longer than a silence, all in all");
        assert_eq!(trickled(1, 3_000), Err(TransportError::IdleTimeout));
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
    fn nobody_there_is_unreachable() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        assert!(matches!(Client::new(&url).unwrap().post(Endpoint::Pull, b"frame"), Err(TransportError::Unreachable { .. })));
    }
}
