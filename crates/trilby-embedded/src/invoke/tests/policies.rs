//! Calls under a policy, and calls of servers outside Dapr.

use super::*;
use crate::resiliency::Policy;
use crate::resiliency::for_tests::policy;

/// Answers the nth invocation with the nth status, and every later one with 200.
struct Statuses(Vec<u16>, Mutex<usize>);

#[async_trait]
impl Inbound for Statuses {
    async fn deliver(&self, _: Request<Bytes>) -> Response<Bytes> {
        unreachable!("no deliveries here")
    }

    async fn invoke(&self, request: Request<ByteStream>) -> ServiceReply {
        let body: Vec<Bytes> = request.into_body().try_collect().await.unwrap();
        assert_eq!(body.concat(), b"body");
        let count = &mut *self.1.lock().unwrap();
        let status = self.0.get(*count).copied().unwrap_or(200);
        *count += 1;
        let status = StatusCode::from_u16(status).unwrap();
        ServiceReply { status, headers: HeaderMap::new(), body: whole("done".into()) }
    }
}

/// Calls an app that answers so; gives the outcome's status or words, and the number of tries.
async fn call(statuses: &[u16], policy: &Policy, body: ByteStream) -> (Result<u16, String>, usize) {
    let apps = apps(&[]).unwrap();
    let inbound = Arc::new(Statuses(statuses.to_vec(), Mutex::new(0)));
    let inbound_weak: Weak<dyn Inbound> =
        Arc::downgrade(&(Arc::clone(&inbound) as Arc<dyn Inbound>));
    apps.attach(inbound_weak);
    let target = apps.target("me").unwrap();
    let (cx, pieces) = (cx(), Pieces::of(body));
    let request = apps.request(&cx, post("me", "x"), &target, &pieces).unwrap();
    let sending = Sending { apps: &apps, app: "me", target: &target };
    let outcome = sending.send_under(policy, &cx, request, pieces).await;
    (outcome.map(|reply| reply.status.as_u16()), *inbound.1.lock().unwrap())
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_no_success_is_asked_for_again() {
    let body = || whole("body".into());
    let twice = policy(None, Some(2), "");
    assert_eq!(call(&[503, 500], &twice, body()).await, (Ok(200), 3));
    assert_eq!(call(&[503, 502, 501, 500], &twice, body()).await, (Ok(501), 3));
    // The policy's statuses are those from 500.
    assert_eq!(call(&[404], &twice, body()).await, (Ok(404), 1));
    assert_eq!(call(&[302], &twice, body()).await, (Ok(302), 1));
    let pieces = stream::iter(["bo", "d", "y"]).map(|piece| Ok(Bytes::from(piece))).boxed();
    assert_eq!(call(&[503], &twice, pieces).await, (Ok(503), 1));
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_refuses_in_daprds_words() {
    let open = policy(None, None, "totalFailures >= 2");
    let (outcome, tries) = call(&[500, 500, 500], &open, whole("body".into())).await;
    assert_eq!((outcome, tries), (Err("circuit breaker is open".to_owned()), 2));
}

#[tokio::test]
async fn a_server_outside_dapr_is_asked_at_its_url_with_its_headers() {
    let (address, server) = echo().await;
    let mut apps = apps(&[]).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("dapr-caller-app-id", "as the file says".parse().unwrap());
    let base = format!("http://{address}/v1/").parse().unwrap();
    // Its name comes before that of the app itself.
    apps.add_endpoint("me".to_owned(), Endpoint { base, headers }).unwrap();
    let none = Policies::default();
    for (path, line) in [
        ("a/../b", r#"POST /v1/b?q=1&r=%20 Some("as the file says") Some("4") None body"#),
        ("", r#"POST /v1?q=1&r=%20 Some("as the file says") Some("4") None body"#),
    ] {
        let reply = apps.invoke(&cx(), &none, post("me", path), whole("body".into())).await;
        assert_eq!(text(reply.unwrap()).await, line);
    }
    server.abort();
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_no_answer() {
    let (address, server) = echo().await;
    let mut apps = apps(&[]).unwrap();
    let base = format!("https://{address}").parse().unwrap();
    apps.add_endpoint("api".to_owned(), Endpoint { base, headers: HeaderMap::new() }).unwrap();
    let none = Policies::default();
    let error = apps.invoke(&cx(), &none, post("api", "x"), whole("".into())).await.err().unwrap();
    let expected = format!("failed to invoke, id: api, err: no answer from https://{address}: ");
    assert!(error.message.starts_with(&expected), "{error}");
    server.abort();
}
