//! Connections: how many, how long, how slow, and how they end.
//!
//! hyper is used below axum because axum's own server neither times out request heads nor bounds them. No
//! address of a peer is kept, passed on or written anywhere.

use crate::answers::{Pace, pace};
use crate::config::{
    CONNECTION_LIFETIME_SECONDS, HEAD_MAX_BYTES, HEADERS_MAX_COUNT, OPERATOR_CONNECTIONS_COUNT, STOP_GRACE_SECONDS, TIDY_EVERY_SECONDS,
};
use crate::http;
use crate::relay::Relay;
use crate::tls::{Tls, TlsError};
use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{interval, sleep, timeout};
use tokio_rustls::TlsAcceptor;

/// Serves plain HTTP until `stop` completes; then finishes running requests, tidies storage and returns.
pub async fn serve(listener: TcpListener, relay: Arc<Relay>, stop: impl Future<Output = ()> + Send) {
    serve_all(listener, relay, Extras::default(), stop).await;
}

/// What a server may do besides.
#[derive(Default)]
pub struct Extras {
    /// Speak TLS.
    pub tls: Option<Arc<Tls>>,
    /// Where the operator asks for numbers.
    pub operator: Option<TcpListener>,
    /// Is told when the certificate changed, or could not be read again.
    pub tls_news: Option<fn(Result<(), TlsError>)>,
    /// Is told when the clock is doubted (true), and when it is believed again.
    pub clock_news: Option<fn(bool)>,
}

/// The same with extras.
pub async fn serve_all(listener: TcpListener, relay: Arc<Relay>, extras: Extras, stop: impl Future<Output = ()> + Send) {
    let Extras { tls, operator, tls_news, clock_news } = extras;
    let router = http::router(Arc::clone(&relay));
    let count = u32::try_from(relay.config.connections_count.max(1)).unwrap_or(u32::MAX);
    let head_timeout = Duration::from_secs(relay.config.head_timeout_seconds);
    let slots = Arc::new(Semaphore::new(count as usize));
    let (stopping, stopped) = watch::channel(());
    let maintenance = tokio::spawn(maintain(Arc::clone(&relay), tls.clone(), (tls_news, clock_news), stopped.clone()));
    if let Some(operator) = operator {
        tokio::spawn(attend_operator(operator, http::operator_router(Arc::clone(&relay)), head_timeout, stopped.clone()));
    }
    let mut stop = pin!(stop);
    loop {
        // a slot first: what we cannot serve stays in the system's backlog
        let accepted = async {
            let slot = Arc::clone(&slots).acquire_owned().await.ok()?;
            match listener.accept().await {
                Ok((stream, _)) => Some((stream, slot)),
                Err(_) => {
                    // out of file descriptors: give running connections time to end
                    sleep(Duration::from_millis(100)).await;
                    None
                }
            }
        };
        tokio::select! {
            () = &mut stop => break,
            accepted = accepted => if let Some((stream, slot)) = accepted {
                let connection = attend_secured(stream, tls.as_ref().map(|tls| tls.acceptor()), router.clone(), head_timeout, stopped.clone());
                let relay = Arc::clone(&relay);
                tokio::spawn(async move {
                    let _connects = relay.counters.connects();
                    connection.await;
                    drop(slot);
                });
            }
        }
    }
    drop(listener);
    drop(stopped);
    let _ = stopping.send(());
    relay.stop_waiting();
    let _ = timeout(Duration::from_secs(STOP_GRACE_SECONDS), slots.acquire_many(count)).await;
    let _ = maintenance.await;
    let last = Arc::clone(&relay);
    if let Ok(Err(error)) = tokio::task::spawn_blocking(move || last.maintain()).await {
        relay.report(error);
    }
}

type News = (Option<fn(Result<(), TlsError>)>, Option<fn(bool)>);

async fn maintain(relay: Arc<Relay>, tls: Option<Arc<Tls>>, (tls_news, clock_news): News, mut stopped: watch::Receiver<()>) {
    let mut was_doubted = false;
    let mut ticks = interval(Duration::from_secs(TIDY_EVERY_SECONDS));
    ticks.tick().await; // the first one comes at once
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = ticks.tick() => {}
        }
        if let Some(reloaded) = tls.as_ref().map(|tls| tls.reload())
            && let (Some(tell), false) = (tls_news, reloaded == Ok(false))
        {
            tell(reloaded.map(drop));
        }
        let work = Arc::clone(&relay);
        if let Ok(Err(error)) = tokio::task::spawn_blocking(move || work.maintain()).await {
            relay.report(error);
        }
        let is_doubted = relay.doubts_clock();
        if let (true, Some(tell)) = (is_doubted != was_doubted, clock_news) {
            tell(is_doubted);
        }
        was_doubted = is_doubted;
    }
}

/// Connections to the operator's own address, a few at a time.
async fn attend_operator(listener: TcpListener, router: Router, head_timeout: Duration, mut stopped: watch::Receiver<()>) {
    let slots = Arc::new(Semaphore::new(OPERATOR_CONNECTIONS_COUNT));
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        let accepted = tokio::select! {
            _ = stopped.changed() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let connection = attend(stream, router.clone(), head_timeout, stopped.clone());
                tokio::spawn(async move {
                    connection.await;
                    drop(slot);
                });
            }
            Err(_) => sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn attend_secured(
    stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    router: Router,
    head_timeout: Duration,
    stopped: watch::Receiver<()>,
) {
    // answers are small: waiting to fill a packet only costs time
    let _ = stream.set_nodelay(true);
    match acceptor {
        None => attend(stream, router, head_timeout, stopped).await,
        // a handshake has as long as a request head
        Some(acceptor) => {
            if let Ok(Ok(stream)) = timeout(head_timeout, acceptor.accept(stream)).await {
                // on the heap, or plain connections would be as large as this
                Box::pin(attend(stream, router, head_timeout, stopped)).await;
            }
        }
    }
}

/// Lets each answer know how its connection is told to hurry.
struct PacedService {
    inner: TowerToHyperService<Router>,
    pace: Pace,
}

impl Service<Request<Incoming>> for PacedService {
    type Response = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Response;
    type Error = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Error;
    type Future = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Future;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.pace.clone());
        self.inner.call(request)
    }
}

async fn attend<S: AsyncRead + AsyncWrite + Unpin>(stream: S, router: Router, head_timeout: Duration, mut stopped: watch::Receiver<()>) {
    let (pace, mut paced) = pace();
    let service = PacedService { inner: TowerToHyperService::new(router), pace };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
        .max_buf_size(HEAD_MAX_BYTES)
        .max_headers(HEADERS_MAX_COUNT)
        // a phone has signed its own time, and nothing in an answer is kept by anybody on the way
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        // closed as it is: what was not taken is given back
        () = paced.is_late() => return,
        _ = stopped.changed() => {}
        () = sleep(Duration::from_secs(CONNECTION_LIFETIME_SECONDS)) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(Duration::from_secs(STOP_GRACE_SECONDS), connection).await;
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::answers::{Answers, Leaving};
    use crate::config::ANSWER_SECONDS;
    use axum::body::Body;
    use axum::extract::Request;
    use axum::response::Response;
    use axum::routing::get;
    use satchel_wire::MailboxId;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::time::Instant;

    const PAGE_BYTES: usize = 2 * 1024 * 1024;
    const ROOM_BYTES: usize = 8 * 1024 * 1024;

    /// A connection that holds 1 KiB by itself and asks for as many pages, and what answers it.
    async fn asking(answers: &Arc<Answers>, pages: usize) -> (DuplexStream, tokio::task::JoinHandle<()>, watch::Sender<()>) {
        let room = Arc::clone(answers);
        let page = get(move |mut request: Request| {
            let room = Arc::clone(&room);
            async move {
                let room = room.reserve(MailboxId::from_bytes([1; 16]), PAGE_BYTES).await.ok();
                Response::new(Body::new(Leaving::new(vec![7; PAGE_BYTES], room, request.extensions_mut().remove::<Pace>())))
            }
        });
        let (mut near, far) = duplex(1_024);
        let (stop, stopped) = watch::channel(());
        let served = tokio::spawn(attend(far, Router::new().route("/", page), Duration::from_secs(30), stopped));
        near.write_all(&b"GET / HTTP/1.1\r\nhost: relay\r\n\r\n".repeat(pages)).await.unwrap();
        (near, served, stop)
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_read_holds_one_answer_and_not_for_ever() {
        let answers = Arc::new(Answers::new(ROOM_BYTES, ROOM_BYTES));
        let began = Instant::now();
        let (mut near, served, _stop) = asking(&answers, 3).await;
        let mut first = [0; 64];
        near.read_exact(&mut first).await.unwrap();
        assert!(first.starts_with(b"HTTP/1.1 200"), "control: it is on its way");
        tokio::time::sleep(Duration::from_secs(ANSWER_SECONDS - 1)).await;
        assert_eq!(answers.free_bytes(), ROOM_BYTES - PAGE_BYTES, "one, whatever else was asked for");
        served.await.unwrap();
        assert_eq!((began.elapsed().as_secs(), answers.free_bytes()), (ANSWER_SECONDS, ROOM_BYTES));
        let mut rest = Vec::new();
        near.read_to_end(&mut rest).await.unwrap();
        assert!(rest.len() < 64 * 1024, "{} bytes came before the end", rest.len());
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_slowly_gets_all_of_it() {
        let answers = Arc::new(Answers::new(ROOM_BYTES, ROOM_BYTES));
        let (mut near, served, _stop) = asking(&answers, 1).await;
        let (mut came, mut piece) = (0, vec![0; 8 * 1024]);
        // 40 kbit/s, as a phone at the edge of a network
        while came < PAGE_BYTES {
            let amount = near.read(&mut piece).await.unwrap();
            assert!(amount > 0, "cut after {came} bytes");
            came += amount;
            tokio::time::sleep(Duration::from_millis(amount as u64 / 5)).await;
        }
        drop(near);
        served.await.unwrap();
        assert_eq!(answers.free_bytes(), ROOM_BYTES);
    }
}
