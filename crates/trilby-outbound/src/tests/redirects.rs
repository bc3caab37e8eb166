//! Each hop is checked as if the guest had asked for it.

use super::server::Server;
use super::*;

#[tokio::test]
async fn redirects_are_followed_with_the_right_method_and_body() {
    let server = Server::start().await;
    let policy = policy(&["http://127.0.0.1:*"]);
    let outbound = plain();
    let cases = [
        ("301", Method::POST, "GET", ""),
        ("302", Method::POST, "GET", ""),
        ("303", Method::POST, "GET", ""),
        ("303", Method::PUT, "GET", ""),
        ("302", Method::PUT, "PUT", "data"),
        ("307", Method::POST, "POST", "data"),
        ("308", Method::DELETE, "DELETE", "data"),
        ("302", Method::GET, "GET", "data"),
    ];
    for (status, method, expected, body) in cases {
        let url = server.url(&format!("/to/{status}//echo"));
        let post =
            request(method.clone(), &url).header("content-type", "text/x").body("data".into());
        let echo = text(&outbound, &policy, post.unwrap()).await;
        let (head, sent) = echo.split_once("\n\n").unwrap();
        assert!(head.starts_with(&format!("{expected} HTTP/1.1\n")), "{status} {method}: {echo}");
        assert_eq!(sent, body, "{status} {method}");
        assert_eq!(head.contains("content-type"), !body.is_empty(), "{status} {method}: {echo}");
    }
    let head = request(Method::HEAD, &server.url("/to/303//echo")).body(Bytes::new()).unwrap();
    let answer = send(&outbound, &policy, head).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.body().len()), (200, 0));
}

#[tokio::test]
async fn other_statuses_are_answers() {
    let server = Server::start().await;
    for status in ["300", "304", "404"] {
        let url = server.url(&format!("/to/{status}//echo"));
        let answer = send(&plain(), &policy(&["http://127.0.0.1:*"]), get(&url)).await.unwrap();
        assert_eq!(answer.status().as_str(), status);
        assert_eq!(answer.headers()["location"], "/echo");
    }
}

#[tokio::test]
async fn credentials_stay_with_their_origin() {
    let (server, other) = (Server::start().await, Server::start().await);
    let policy = policy(&["http://127.0.0.1:*"]);
    let send = async |destination: String| {
        let url = server.url(&format!("/to/302/{destination}"));
        let request = request(Method::GET, &url)
            .header("authorization", "a")
            .header("cookie", "b")
            .header("proxy-authorization", "c")
            .header("x-kept", "d");
        let echo = text(&plain(), &policy, request.body(Bytes::new()).unwrap()).await;
        ["authorization", "cookie", "proxy-authorization", "x-kept"]
            .map(|name| echo.lines().any(|line| line.starts_with(&format!("{name}: "))))
    };
    assert_eq!(send("/echo".to_owned()).await, [true, true, false, true]);
    assert_eq!(send(other.url("/echo")).await, [false, false, false, true]);
    // There and back again: what was dropped stays so.
    let back = other.url(&format!("/to/302/{}", server.url("/echo")));
    assert_eq!(send(back).await, [false, false, false, true]);
}

#[tokio::test]
async fn a_refused_place_stays_refused() {
    let (server, other) = (Server::start().await, Server::start().await);
    let port = server.port;
    let own = server.url("");
    let own = policy(&[&own, "http://*"]);
    let cases = [
        (other.url("/echo"), Error::NotAllowed { origin: other.url("") }),
        (
            format!("http://LOCALHOST:{port}"),
            Error::NotAllowed { origin: format!("http://localhost:{port}") },
        ),
        (
            format!("https://127.0.0.1:{port}"),
            Error::NotAllowed { origin: format!("https://127.0.0.1:{port}") },
        ),
        (
            "http://169.254.169.254/latest".to_owned(),
            Error::PrivateAddress {
                origin: "http://169.254.169.254".to_owned(),
                address: [169, 254, 169, 254].into(),
                rule: "http://169.254.169.254".to_owned(),
                key: "allowed-hosts",
            },
        ),
        (
            "file:///etc/passwd".to_owned(),
            Error::InvalidUrl { reason: "the answer redirects to what is no URL" },
        ),
    ];
    for (place, expected) in cases {
        let url = server.url(&format!("/to/302/{place}"));
        let error = send(&plain(), &own, get(&url)).await.unwrap_err();
        assert_eq!(error, expected, "{place}");
    }
    assert_eq!(other.accepts(), 0);
}

#[tokio::test]
async fn a_circle_ends() {
    let server = Server::start().await;
    let error = send(&plain(), &policy(&["http://127.0.0.1:*"]), get(&server.url("/circle"))).await;
    assert_eq!(error.unwrap_err(), Error::TooManyRedirects { redirects_max: 10 });

    let (chain, end) = ("/to/302/".repeat(10), server.url("/sized"));
    let last =
        send(&plain(), &policy(&["http://127.0.0.1:*"]), get(&server.url(&(chain + &end)))).await;
    assert_eq!(last.unwrap().body().len(), 10);
}

#[tokio::test]
async fn https_does_not_lead_to_http() {
    let (server, roots) = Server::with_tls().await;
    let outbound = Outbound::with_roots(roots).unwrap();
    let policy = policy(&["https://localhost:*", "http://localhost:*"]);
    let url = format!("https://localhost:{0}/to/302/http://localhost:{0}/echo", server.port);
    let error = send(&outbound, &policy, get(&url)).await.unwrap_err();
    let origin = format!("http://localhost:{}", server.port);
    assert_eq!(error, Error::InsecureRedirect { origin });
}
