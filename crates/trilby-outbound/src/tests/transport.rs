//! How requests travel: connections, TLS, HTTP/2, headers.

use super::server::Server;
use super::*;

#[tokio::test]
async fn connections_are_reused_by_clones_too() {
    let server = Server::start().await;
    let outbound = plain();
    for _ in 0..3 {
        let url = server.url("/chunked");
        text(&outbound.clone(), &policy(&["http://127.0.0.1:*"]), get(&url)).await;
    }
    assert_eq!(server.accepts(), 1);
}

#[tokio::test]
async fn calls_do_not_wait_for_each_other() {
    let server = Server::start().await;
    let (outbound, policy) = (plain(), policy(&["http://127.0.0.1:*"]));
    // The server answers neither before both are there.
    let call = || text(&outbound, &policy, get(&server.url("/meet")));
    assert_eq!(tokio::join!(call(), call()), ("met".to_owned(), "met".to_owned()));
}

#[tokio::test]
async fn the_server_sees_the_urls_host_and_the_bodys_length() {
    let server = Server::start().await;
    let request = request(Method::POST, &server.url("/echo"))
        .version(http::Version::HTTP_2)
        .header("host", "other.example")
        .header("content-length", "400")
        .header("transfer-encoding", "chunked")
        .header("connection", "x-mine")
        .header("x-mine", "1")
        .header("x-other", "2");
    let policy = policy(&["http://127.0.0.1:*"]);
    let echo = text(&plain(), &policy, request.body("data".into()).unwrap()).await;
    let expected = format!(
        "POST HTTP/1.1\ncontent-length: 4\nhost: 127.0.0.1:{}\nuser-agent: Trilby/{}\nx-other: 2\
         \n\ndata",
        server.port,
        env!("CARGO_PKG_VERSION"),
    );
    assert_eq!(echo, expected);
}

#[tokio::test]
async fn an_answer_says_nothing_about_its_connection() {
    let server = Server::start().await;
    let policy = policy(&["http://127.0.0.1:*"]);
    let answer = send(&plain(), &policy, get(&server.url("/chunked"))).await.unwrap();
    assert_eq!(answer.body().as_ref(), b"0123456789");
    assert!(!answer.headers().contains_key("transfer-encoding"), "{:?}", answer.headers());
}

#[tokio::test]
async fn https_speaks_http_2_over_one_connection() {
    let (server, roots) = Server::with_tls().await;
    let outbound = Outbound::with_roots(roots).unwrap();
    let policy = policy(&["https://localhost:*"]);
    let url = format!("https://LOCALHOST.:{}/echo", server.port);
    let echo = text(&outbound, &policy, get(&url)).await;
    assert!(echo.starts_with("GET HTTP/2.0\n"), "{echo}");
    let calls = || text(&outbound, &policy, get(&url));
    let _ = tokio::join!(calls(), calls(), calls());
    assert_eq!(server.accepts(), 1);
}

#[tokio::test]
async fn a_certificate_is_checked() {
    let (server, roots) = Server::with_tls().await;
    let (_, strangers) = Server::with_tls().await;
    let cases = [
        (strangers, "localhost", "invalid peer certificate: "),
        (roots, "127.0.0.1", "invalid peer certificate: certificate not valid for name"),
        (RootCertStore::empty(), "localhost", "no root certificates are installed: install them"),
    ];
    for (roots, host, expected) in cases {
        let outbound = Outbound::with_roots(roots).unwrap();
        let policy = policy(&["https://localhost:*", "https://127.0.0.1:*"]);
        let url = format!("https://{host}:{}/echo", server.port);
        let error = send(&outbound, &policy, get(&url)).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn a_refused_connection_is_an_error_of_its_own() {
    let server = Server::start().await;
    let url = server.url("/echo");
    let origin = server.url("");
    drop(server);
    let closed = async {
        loop {
            let error = send(&plain(), &policy(&["http://127.0.0.1:*"]), get(&url)).await;
            if let Err(error) = error {
                return error.to_string();
            }
        }
    };
    let error = tokio::time::timeout(LONG, closed).await.unwrap();
    assert!(error.starts_with(&format!("cannot call `{origin}`: ")), "{error}");
}

/// The variable is set for a process of its own: this one has threads running.
#[tokio::test]
async fn ssl_cert_file_names_the_roots() {
    const TEST: &str = "tests::transport::ssl_cert_file_names_the_roots";
    const FILE: &str = "TRILBY_TEST_ROOTS";
    if let Some(file) = std::env::var_os(FILE) {
        let (server, _) = Server::with_tls().await;
        std::fs::write(file, &server.certificate).unwrap();
        let url = format!("https://localhost:{}/sized", server.port);
        let outbound = Outbound::new().unwrap();
        assert_eq!(
            text(&outbound, &policy(&["https://localhost:*"]), get(&url)).await,
            "0123456789"
        );
        return;
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut itself = tokio::process::Command::new(std::env::current_exe().unwrap());
    itself.args(["--exact", TEST]).env(FILE, file.path()).env("SSL_CERT_FILE", file.path());
    let run =
        tokio::time::timeout(LONG, itself.env_remove("SSL_CERT_DIR").kill_on_drop(true).output());
    let output = String::from_utf8(run.await.unwrap().unwrap().stdout).unwrap();
    assert!(output.contains("1 passed"), "{output}");
}
