//! HTTP around [`Relay::answer`]: paths, bounded bodies, answers and problems.
//!
//! A body is bounded twice, by what the head announces and by what arrives, and memory for it grows only with
//! what arrives. Answers carry no headers beyond what HTTP needs.

use crate::answers::{Answers, Leaving, Pace, Room};
use crate::config::{BODIES_MAX_BYTES, BODY_TIMEOUT_SECONDS, WORKING_MAX_COUNT};
use crate::problem::{PROBLEM_CONTENT_TYPE, Problem};
use crate::relay::Relay;
use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use satchel_wire::frame::{self, Endpoint, Frame, ProblemCode, Signed, Wait};
use satchel_wire::limits::HTTP_BODY_MAX_BYTES;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const KIB: usize = 1024;
/// How much of a body that is too large is read and thrown away before the answer (bytes).
const DISCARD_MAX_BYTES: usize = 2 * HTTP_BODY_MAX_BYTES;

/// What all requests share.
#[derive(Clone)]
struct Shared {
    relay: Arc<Relay>,
    /// One permit for each KiB of request bodies in memory.
    body_room: Arc<Semaphore>,
    answers: Arc<Answers>,
    working: Arc<Semaphore>,
}

/// All paths: `/v1/…`, `/healthz` (the process is up), `/readyz` (storage answers).
pub fn router(relay: Arc<Relay>) -> Router {
    router_with(relay, Arc::default())
}

/// The same with other room for answers.
pub fn router_with(relay: Arc<Relay>, answers: Arc<Answers>) -> Router {
    let shared = Shared {
        relay,
        body_room: Arc::new(Semaphore::new(BODIES_MAX_BYTES / KIB)),
        answers,
        working: Arc::new(Semaphore::new(WORKING_MAX_COUNT)),
    };
    let mut router = Router::new();
    for endpoint in Endpoint::ALL {
        let answer = move |State(shared): State<Shared>, request: Request| answer(shared, endpoint, request);
        router = router.route(endpoint.path(), post(answer));
    }
    router
        .route("/healthz", get(|| async { "up\n" }))
        .route("/readyz", get(is_ready))
        .fallback(|| async { plain(StatusCode::NOT_FOUND) })
        .method_not_allowed_fallback(|| async { plain(StatusCode::METHOD_NOT_ALLOWED) })
        .with_state(shared)
}

/// Paths for the operator's own address: `/` (a page), `/metrics`, `/healthz`, `/readyz`.
pub fn operator_router(relay: Arc<Relay>) -> Router {
    let page = |State(relay): State<Arc<Relay>>| async move {
        let asked = Arc::clone(&relay);
        let is_ready = tokio::task::spawn_blocking(move || asked.is_ready()).await.unwrap_or(false);
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
            (CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'")),
        ];
        (headers, relay.counters.to_page(is_ready)).into_response()
    };
    let metrics = |State(relay): State<Arc<Relay>>| async move {
        let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
        ([(CONTENT_TYPE, kind)], relay.counters.to_text()).into_response()
    };
    let ready = |State(relay): State<Arc<Relay>>| ready_or_not(relay);
    Router::new()
        .route("/", get(page))
        .route("/metrics", get(metrics))
        .route("/healthz", get(|| async { "up\n" }))
        .route("/readyz", get(ready))
        .fallback(|| async { plain(StatusCode::NOT_FOUND) })
        .with_state(relay)
}

/// A problem that needs no more than its status (RFC 9457, section 4.2.1).
fn plain(status: StatusCode) -> Response {
    let title = status.canonical_reason().unwrap_or_default();
    let body = format!(r#"{{"type":"about:blank","title":"{title}","status":{}}}"#, status.as_u16());
    (status, [(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_CONTENT_TYPE))], body).into_response()
}

async fn is_ready(State(shared): State<Shared>) -> Response {
    ready_or_not(shared.relay).await
}

async fn ready_or_not(relay: Arc<Relay>) -> Response {
    match tokio::task::spawn_blocking(move || relay.is_ready()).await {
        Ok(true) => "ready\n".into_response(),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "storage does not answer\n").into_response(),
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_CONTENT_TYPE));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.code == ProblemCode::TooLarge {
            // the rest of the body is not worth reading
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        (status, headers, self.to_json()).into_response()
    }
}

async fn answer(shared: Shared, endpoint: Endpoint, mut request: Request) -> Response {
    let relay = Arc::clone(&shared.relay);
    let pace = request.extensions_mut().remove::<Pace>();
    let answered = answer_or_problem(shared, endpoint, request).await;
    relay.counters.answered(endpoint, answered.as_ref().err().map(|problem| problem.code));
    match answered {
        Ok((body, _)) if body.is_empty() => StatusCode::NO_CONTENT.into_response(),
        Ok((body, room)) => {
            let kind = HeaderValue::from_static(frame::CONTENT_TYPE);
            ([(CONTENT_TYPE, kind)], Body::new(Leaving::new(body, room, pace))).into_response()
        }
        Err(problem) => problem.into_response(),
    }
}

async fn answer_or_problem(shared: Shared, endpoint: Endpoint, request: Request) -> Result<(Vec<u8>, Option<Room>), Problem> {
    let internal = Problem::new(ProblemCode::Internal);
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > DISCARD_MAX_BYTES as u64) {
        return Err(ProblemCode::TooLarge.into());
    }
    let too_large = announced.is_some_and(|length| length > HTTP_BODY_MAX_BYTES as u64);
    let reading = read_body(&shared, request.into_body(), too_large);
    let (body, room) = tokio::time::timeout(Duration::from_secs(BODY_TIMEOUT_SECONDS), reading)
        .await
        .map_err(|_| Problem::new(ProblemCode::Malformed))??;
    // before a turn: who waits for room holds up nobody
    let mut answer_room = match Relay::large_answer(endpoint, &body) {
        Some((mailbox, bytes)) => Some(shared.answers.reserve(mailbox, bytes).await?),
        None => None,
    };
    let turn = Arc::clone(&shared.working).acquire_owned().await.map_err(|_| internal)?;
    if endpoint == Endpoint::Wait {
        drop(room);
        // what waits long is to be small, whatever reading a body takes
        return Ok((Box::pin(wait(shared, body, turn)).await?, None));
    }
    let relay = shared.relay;
    let work = move || {
        let answer = relay.answer_briefly(endpoint, &body);
        drop((body, room, turn));
        answer
    };
    // a started blocking task runs to its end even if the connection goes away
    let answer = tokio::task::spawn_blocking(work).await.map_err(|_| internal)??;
    if let Some(room) = &mut answer_room {
        room.shrink_to(answer.len());
    }
    Ok((answer, answer_room))
}

/// Answers when there is news, when the time is over, or when the relay stops. While nothing happens this holds a bell and
/// a cursor: no thread, no turn, no connection of the storage.
async fn wait(shared: Shared, body: Vec<u8>, turn: OwnedSemaphorePermit) -> Result<Vec<u8>, Problem> {
    let internal = Problem::new(ProblemCode::Internal);
    let relay = Arc::clone(&shared.relay);
    let begin = move || {
        let begun = Signed::from_bytes(&body).map_err(Problem::from).and_then(|signed| {
            let wait = Wait::from_bytes(&signed.body)?;
            relay.begin_waiting(&wait, &signed)
        });
        drop((body, turn));
        begun
    };
    let (waiting, mut waited) = tokio::task::spawn_blocking(begin).await.map_err(|_| internal)??;
    let mut stopped = shared.relay.bells.stopped();
    let _waits = shared.relay.counters.waits();
    let until = tokio::time::Instant::now() + waiting.longest();
    while !waited.changed {
        // before looking: what rings from here on is heard
        let mut bell = std::pin::pin!(waiting.bell().notified());
        bell.as_mut().enable();
        let turn = Arc::clone(&shared.working).acquire_owned().await.map_err(|_| internal)?;
        let (relay, question) = (Arc::clone(&shared.relay), waiting.question());
        let look = move || {
            let answer = relay.look_again(&question);
            drop(turn);
            answer
        };
        waited = tokio::task::spawn_blocking(look).await.map_err(|_| internal)??;
        if waited.changed {
            break;
        }
        tokio::select! {
            () = bell => {}
            () = tokio::time::sleep_until(until) => break,
            _ = stopped.changed() => break,
        }
    }
    Ok(waited.to_answer())
}

/// Reads a body and the permits for its memory. Errors: `too_large`, `rate_limited` when all requests
/// together take too much memory, `malformed` when it stops coming.
///
/// A body that is too large is read on without being kept, up to [`DISCARD_MAX_BYTES`]: closing at once would
/// reset the connection, and the sender would never see why.
async fn read_body(shared: &Shared, mut body: Body, mut too_large: bool) -> Result<(Vec<u8>, Vec<OwnedSemaphorePermit>), Problem> {
    let mut bytes = Vec::new();
    let mut permits = Vec::new();
    let silence = Duration::from_secs(shared.relay.config.body_silence_seconds);
    let (mut paid, mut arrived) = (0, 0);
    loop {
        let next = poll_fn(|context| Pin::new(&mut body).poll_frame(context));
        let frame = tokio::time::timeout(silence, next).await;
        let frame = match frame {
            Ok(Some(Ok(frame))) => frame,
            Ok(None) if too_large => return Err(ProblemCode::TooLarge.into()),
            Ok(None) => return Ok((bytes, permits)),
            Ok(Some(Err(_))) | Err(_) => return Err(ProblemCode::Malformed.into()),
        };
        let Ok(data) = frame.into_data() else { continue };
        arrived += data.len();
        if arrived > DISCARD_MAX_BYTES {
            return Err(ProblemCode::TooLarge.into());
        }
        too_large |= arrived > HTTP_BODY_MAX_BYTES;
        if too_large {
            bytes = Vec::new();
            permits.clear();
            continue;
        }
        bytes.extend_from_slice(&data);
        if bytes.len() > paid {
            let due = (bytes.len() - paid).div_ceil(KIB);
            let permit = Arc::clone(&shared.body_room).try_acquire_many_owned(u32::try_from(due).unwrap_or(u32::MAX));
            permits.push(permit.map_err(|_| Problem::rate_limited(1))?);
            paid += due * KIB;
        }
    }
}
