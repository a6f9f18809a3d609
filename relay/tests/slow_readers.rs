//! Answers that nobody reads: bounded for all, for one mailbox, and given back.
#![allow(clippy::unwrap_used)]

mod support;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use satchel_relay::answers::Answers;
use satchel_relay::http;
use satchel_wire::Lane;
use satchel_wire::frame::*;
use satchel_wire::limits::HTTP_BODY_MAX_BYTES;
use std::sync::Arc;
use support::*;

const PAGE_BYTES: u32 = 1 << 20;

/// A pull, with its answer as it waits to be read.
async fn pull(router: &TowerToHyperService<axum::Router>, team: &Team) -> Response<Body> {
    let frame = team.pull_frame(None, PAGE_BYTES, None);
    let body = sign(Endpoint::Pull, &team.pull_key, frame.to_bytes());
    let request = Request::post("/v1/pull").header("content-type", CONTENT_TYPE).body(Body::from(body)).unwrap();
    router.call(request).await.unwrap()
}

async fn rows_in(answer: Response<Body>) -> usize {
    assert_eq!(answer.status(), StatusCode::OK);
    let bytes = axum::body::to_bytes(answer.into_body(), HTTP_BODY_MAX_BYTES).await.unwrap();
    Pulled::from_bytes(&bytes).unwrap().rows.len()
}

#[test]
fn what_nobody_reads_takes_its_share_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let (slow, other) = (relay.team(1), relay.team(2));
    for team in [&slow, &other] {
        for n in 0..4 {
            team.push((0..16).map(|m| sized_row(Lane::Records, n * 16 + m, 32 * 1024)).collect(), None);
        }
    }
    // a mailbox has room for two pages (with what stands around rows) and for one that is being made; all have room for one more
    let (page, largest) = (PAGE_BYTES as usize + 64 * 1024, HTTP_BODY_MAX_BYTES);
    let mailbox_bytes = 2 * page + largest;
    let all_bytes = mailbox_bytes + page;
    let answers = Arc::new(Answers::new(all_bytes, mailbox_bytes));
    let router = TowerToHyperService::new(http::router_with(Arc::clone(&relay.relay), Arc::clone(&answers)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut unread = Vec::new();
        loop {
            let answer = pull(&router, &slow).await;
            if answer.status() != StatusCode::OK {
                assert_eq!(answer.status().as_u16(), ProblemCode::RateLimited.status());
                assert_eq!(answer.headers()["retry-after"], "10");
                break;
            }
            unread.push(answer);
            assert!(unread.len() < 50, "nothing is bounded");
        }
        assert_eq!(unread.len(), 3, "of one mailbox");
        assert!(answers.free_bytes() >= largest, "others have theirs: {}", answers.free_bytes());
        let served = rows_in(pull(&router, &other).await).await;
        assert!(served > 20, "control: {served} rows");
        let free = answers.free_bytes();
        let read = rows_in(unread.pop().unwrap()).await;
        assert_eq!(read, served);
        assert!(answers.free_bytes() > free, "what was read is given back");
        assert_eq!(rows_in(pull(&router, &slow).await).await, served);
        // a connection that goes away gives back what it did not take
        drop(unread);
        assert_eq!(answers.free_bytes(), all_bytes);
    });
    relay.stop();
}
