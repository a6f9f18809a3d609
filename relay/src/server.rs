//! Connections: how many, how long, how slow, and how they end.
//!
//! hyper is used below axum because axum's own server neither times out request heads nor bounds them. No
//! address of a peer is kept, passed on or written anywhere.

use crate::config::{CONNECTION_LIFETIME_SECONDS, HEAD_MAX_BYTES, HEADERS_MAX_COUNT, STOP_GRACE_SECONDS, TIDY_EVERY_SECONDS};
use crate::http;
use crate::relay::Relay;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{interval, sleep, timeout};

/// Serves until `stop` completes; then finishes running requests, tidies storage and returns.
pub async fn serve(listener: TcpListener, relay: Arc<Relay>, stop: impl Future<Output = ()> + Send) {
    let router = http::router(Arc::clone(&relay));
    let count = u32::try_from(relay.config.connections_count.max(1)).unwrap_or(u32::MAX);
    let head_timeout = Duration::from_secs(relay.config.head_timeout_seconds);
    let slots = Arc::new(Semaphore::new(count as usize));
    let (stopping, stopped) = watch::channel(());
    let maintenance = tokio::spawn(maintain(Arc::clone(&relay), stopped.clone()));
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
                let connection = attend(stream, router.clone(), head_timeout, stopped.clone());
                tokio::spawn(async move {
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

async fn maintain(relay: Arc<Relay>, mut stopped: watch::Receiver<()>) {
    let mut ticks = interval(Duration::from_secs(TIDY_EVERY_SECONDS));
    ticks.tick().await; // the first one comes at once
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = ticks.tick() => {}
        }
        let work = Arc::clone(&relay);
        if let Ok(Err(error)) = tokio::task::spawn_blocking(move || work.maintain()).await {
            relay.report(error);
        }
    }
}

async fn attend(stream: TcpStream, router: Router, head_timeout: Duration, mut stopped: watch::Receiver<()>) {
    // answers are small: waiting to fill a packet only costs time
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
        .max_buf_size(HEAD_MAX_BYTES)
        .max_headers(HEADERS_MAX_COUNT)
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
