//! The yardstick of the benchmark of Dapr's building blocks: a native service with hyper and the
//! crate `dapr`, which does one state get and one set for each request.

use std::convert::Infallible;

use anyhow::Context;
use bytes::Bytes;
use dapr::client::{ClientOptions, TonicClientWithAuth};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;

type Client = dapr::Client<TonicClientWithAuth>;

#[tokio::main]
#[expect(clippy::print_stdout, reason = "tells its address, as `trilby serve` does")]
async fn main() -> anyhow::Result<()> {
    let port = std::env::var("DAPR_GRPC_PORT").context("DAPR_GRPC_PORT is not set")?;
    let options = ClientOptions::new().with_address(format!("http://127.0.0.1:{port}"));
    let client = Client::from_options(options).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("serving   http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let client = client.clone();
        tokio::spawn(async move {
            let answer = service_fn(move |_request| {
                let client = client.clone();
                async move { Ok::<_, Infallible>(answer(client).await) }
            });
            // A client that goes away is no failure of the yardstick.
            let _ = auto::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), answer)
                .await;
        });
    }
}

async fn answer(mut client: Client) -> Response<Full<Bytes>> {
    let mut response = match get_and_set(&mut client).await {
        Ok(text) => Response::new(Full::new(Bytes::from(text))),
        Err(error) => {
            let mut failed = Response::new(Full::new(Bytes::from(error.to_string())));
            *failed.status_mut() = StatusCode::BAD_GATEWAY;
            failed
        }
    };
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

async fn get_and_set(client: &mut Client) -> Result<String, dapr::error::Error> {
    let before = client.get_state("statestore", "bench", None).await?;
    let value = b"sixteen bytes it".to_vec();
    client.save_state("statestore", "bench", value, None, None, None).await?;
    Ok(format!("{}\n", before.data.len()))
}
