//! Time, size and number have an end.

use super::server::Server;
use super::*;

const SHORT: Duration = Duration::from_millis(50);

#[tokio::test]
async fn a_server_that_does_not_answer_is_left() {
    let server = Server::start().await;
    let mut policy = policy(&["http://127.0.0.1:*"]);
    let expected = Error::Timeout { origin: server.url("") };
    for path in ["/never", "/half", "/to/302//never"] {
        policy.timeout = SHORT;
        let error = send(&plain(), &policy, get(&server.url(path))).await.unwrap_err();
        assert_eq!(error, expected, "{path} with a short timeout");

        policy.timeout = LONG;
        let deadline = Instant::now() + SHORT;
        let answer = plain().send(&policy, deadline, get(&server.url(path))).await;
        assert_eq!(answer.unwrap_err(), expected, "{path} with a near deadline");
    }
    policy.timeout = Duration::MAX;
    assert_eq!(text(&plain(), &policy, get(&server.url("/sized"))).await, "0123456789");
}

#[tokio::test]
async fn a_body_is_bounded_whether_its_length_is_told_or_not() {
    let server = Server::start().await;
    let mut policy = policy(&["http://127.0.0.1:*"]);
    for path in ["/sized", "/chunked"] {
        policy.body_bytes_max = 10;
        assert_eq!(text(&plain(), &policy, get(&server.url(path))).await, "0123456789");
        policy.body_bytes_max = 9;
        let error = send(&plain(), &policy, get(&server.url(path))).await.unwrap_err();
        assert_eq!(error, Error::TooLarge { origin: server.url(""), bytes_max: 9 }, "{path}");
    }
    let deadline = Instant::now() + LONG;
    let outbound = plain();
    let opened = |path| outbound.open(&policy, deadline, get(&server.url(path)));
    assert!(opened("/sized").await.is_err(), "a told length is refused with the head");
    assert!(opened("/chunked").await.is_ok(), "an untold length is found out with the body");
}

#[tokio::test]
async fn the_head_of_an_answer_is_bounded() {
    let server = Server::start().await;
    let policy = policy(&["http://127.0.0.1:*"]);
    let error = send(&plain(), &policy, get(&server.url("/long-head"))).await.unwrap_err();
    assert!(matches!(error, Error::Request { .. }), "{error}");
}

#[tokio::test]
async fn there_are_never_many_pools() {
    let server = Server::start().await;
    let outbound = plain();
    let mut policy = policy(&["http://localhost:*"]);
    let url = format!("http://localhost:{}/sized", server.port);
    for network in 0..40 {
        policy.allowed_networks = vec![format!("10.0.{network}.0/24").parse().unwrap()];
        assert_eq!(text(&outbound, &policy, get(&url)).await, "0123456789");
    }
    assert_eq!(outbound.pools.len(), 32);
    assert_eq!(text(&outbound, &policy, get(&url)).await, "0123456789");
    assert_eq!(server.accepts(), 40, "the pool that was used last is still there");
}

#[tokio::test]
async fn idle_connections_make_room() {
    let server = Server::start().await;
    let outbound = plain();
    let policy = policy(&["http://127.0.0.1:*"]);
    text(&outbound, &policy, get(&server.url("/sized"))).await;
    let crowd = outbound.pools.crowd();
    let before = outbound.pools.connections();
    text(&outbound, &policy, get(&server.url("/sized"))).await;
    assert_eq!(server.accepts(), 2);
    let closed = async {
        while outbound.pools.connections() > before {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, closed).await.expect("the first connection closes");
    drop(crowd);
}

#[tokio::test]
async fn methods_that_pass_the_checks_by_are_refused() {
    let server = Server::start().await;
    for method in ["CONNECT", "TRACE", "TRACK"] {
        let request = request(method.parse().unwrap(), &server.url("/echo"));
        let request = request.body(Bytes::new()).unwrap();
        let error = send(&plain(), &policy(&["http://127.0.0.1:*"]), request).await.unwrap_err();
        assert_eq!(error, Error::InvalidMethod { method: method.to_owned() });
    }
    assert_eq!(server.accepts(), 0);
}
