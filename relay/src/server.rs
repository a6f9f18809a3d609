//! Connections: how many, how long, how slow, and how they end.
//!
//! hyper is used below axum because axum's own server neither times out request heads nor bounds them. No
//! address of a peer is kept, passed on or written anywhere.

use crate::config::{
    CONNECTION_LIFETIME_SECONDS, HEAD_MAX_BYTES, HEADERS_MAX_COUNT, OPERATOR_CONNECTIONS_COUNT, STOP_GRACE_SECONDS, TIDY_EVERY_SECONDS,
};
use crate::http;
use crate::relay::Relay;
use crate::tls::{Tls, TlsError};
use axum::Router;
use hyper::server::conn::http1;
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
}

/// The same with extras.
pub async fn serve_all(listener: TcpListener, relay: Arc<Relay>, extras: Extras, stop: impl Future<Output = ()> + Send) {
    let Extras { tls, operator, tls_news } = extras;
    let router = http::router(Arc::clone(&relay));
    let count = u32::try_from(relay.config.connections_count.max(1)).unwrap_or(u32::MAX);
    let head_timeout = Duration::from_secs(relay.config.head_timeout_seconds);
    let slots = Arc::new(Semaphore::new(count as usize));
    let (stopping, stopped) = watch::channel(());
    let maintenance = tokio::spawn(maintain(Arc::clone(&relay), tls.clone(), tls_news, stopped.clone()));
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

async fn maintain(relay: Arc<Relay>, tls: Option<Arc<Tls>>, tls_news: Option<fn(Result<(), TlsError>)>, mut stopped: watch::Receiver<()>) {
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

async fn attend<S: AsyncRead + AsyncWrite + Unpin>(stream: S, router: Router, head_timeout: Duration, mut stopped: watch::Receiver<()>) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
        .max_buf_size(HEAD_MAX_BYTES)
        .max_headers(HEADERS_MAX_COUNT)
        // a phone has signed its own time, and nothing in an answer is kept by anybody on the way
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopped.changed() => {}
        () = sleep(Duration::from_secs(CONNECTION_LIFETIME_SECONDS)) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(Duration::from_secs(STOP_GRACE_SECONDS), connection).await;
}
