//! Service invocation over gRPC, with an app that speaks HTTP.

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use prost_types::Any;
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Response, Status};
use trilby_dapr::invoke::{InvokeService, ServiceReply};
use trilby_dapr::proto::common::v1 as common;
use trilby_dapr::proto::runtime::v1 as runtime;
use trilby_dapr::wire::invoke::method;
use trilby_dapr::{Error, stream};

use super::{of_http, opened};
use crate::api::Shared;
use crate::fault::{About, Block};

/// The header with the status of an answer over HTTP.
const HTTP_STATUS: &str = "dapr-http-status";

pub(super) async fn call(
    shared: &Shared,
    request: Request<runtime::InvokeServiceRequest>,
) -> Result<Response<common::InvokeResponse>, Status> {
    let metadata = request.metadata().clone().into_headers();
    let (cx, message) = opened(request);
    let about = About::new(Block::Invoke, &message.id);
    let told = |error: &Error| shared.teller().status(error, &about);
    let asked = message.message.unwrap_or_default();
    let is_known = message.id == shared.backend.app_id || shared.backend.apps.contains(&message.id);
    let Some(extension) = asked.http_extension.or_else(|| (!is_known).then(Default::default))
    else {
        // All apps here speak HTTP, and daprd wants to be told how to call such a one.
        let text = format!(
            "failed to invoke, id: {}, err: rpc error: code = InvalidArgument desc = missing HTTP \
             extension field",
            message.id
        );
        return Err(told(&Error::new(trilby_dapr::Code::Internal, text)));
    };
    let mut headers = passed_on(metadata);
    if let Ok(content_type) = HeaderValue::try_from(&asked.content_type)
        && !content_type.is_empty()
    {
        headers.insert(header::CONTENT_TYPE, content_type);
    }
    let request = InvokeService {
        app: message.id,
        path: asked.method.trim_start_matches('/').to_owned(),
        method: method(extension.verb()),
        query: Some(extension.querystring).filter(|query| !query.is_empty()),
        headers,
    };
    let body = stream::whole(asked.data.unwrap_or_default().value.into());
    let reply = shared.backend.blocks.invoke_service(&cx, request, body).await;
    let ServiceReply { status, headers, body } = reply.map_err(|error| told(&error))?;
    let whole = whole(body, shared.backend.message_bytes_max).await;
    let whole = whole.map_err(|error| told(&error))?;
    answer(status, headers, whole)
}

/// The answer, or the error that a status of HTTP stands for; the status goes along.
fn answer(
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response<common::InvokeResponse>, Status> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default().to_owned();
    let metadata = MetadataMap::from_headers(passed_back(headers, status));
    if !status.is_success() {
        let text = status.canonical_reason().unwrap_or_default();
        let detail: String = String::from_utf8_lossy(&body).chars().take(DETAIL_MAX).collect();
        let mut error = of_http(code(status), status.as_u16(), text, &detail);
        *error.metadata_mut() = metadata;
        return Err(error);
    }
    let data = Some(Any { type_url: String::new(), value: body.into() });
    let mut response = Response::new(common::InvokeResponse { data, content_type });
    *response.metadata_mut() = metadata;
    Ok(response)
}

/// daprd cuts the text of an error at so many characters.
const DETAIL_MAX: usize = 63;

/// What of gRPC's metadata the app gets as headers.
fn passed_on(metadata: HeaderMap) -> HeaderMap {
    let kept = |(name, value): (Option<HeaderName>, HeaderValue)| {
        let name = name?;
        let is_grpcs = name.as_str().starts_with("grpc-") || name.as_str().ends_with("-bin");
        let is_own = [header::CONTENT_TYPE, header::USER_AGENT, header::TE].contains(&name);
        (!is_grpcs && !is_own).then_some((name, value))
    };
    metadata.into_iter().filter_map(kept).collect()
}

/// The app's headers as gRPC's metadata. Those that mean something to HTTP get daprd's prefix.
fn passed_back(headers: HeaderMap, status: StatusCode) -> HeaderMap {
    let mut passed = HeaderMap::new();
    for (name, value) in &headers {
        if name.as_str().ends_with("-bin") || *name == "traceparent" || *name == "tracestate" {
            continue;
        }
        let is_https = [
            header::CONTENT_TYPE,
            header::CONTENT_LENGTH,
            header::DATE,
            header::SERVER,
            header::CACHE_CONTROL,
            header::COOKIE,
            header::VIA,
            header::LOCATION,
            header::ACCEPT,
        ]
        .contains(name);
        let name = if is_https || name.as_str().starts_with("grpc-") {
            HeaderName::try_from(format!("dapr-{name}"))
        } else {
            Ok(name.clone())
        };
        if let Ok(name) = name {
            passed.append(name, value.clone());
        }
    }
    passed.insert(HTTP_STATUS, HeaderValue::from(status.as_u16()));
    passed
}

async fn whole(mut body: stream::ByteStream, bytes_max: usize) -> Result<Bytes, Error> {
    let mut whole = BytesMut::new();
    while let Some(piece) = body.next().await {
        let piece = piece?;
        if whole.len().saturating_add(piece.len()) > bytes_max {
            let text = format!("the answer is larger than {bytes_max} bytes; use the HTTP API");
            return Err(Error::new(trilby_dapr::Code::ResourceExhausted, text));
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

/// daprd's code for a status of HTTP.
fn code(status: StatusCode) -> Code {
    match status.as_u16() {
        408 => Code::Cancelled,
        400 => Code::Internal,
        504 => Code::DeadlineExceeded,
        404 => Code::NotFound,
        409 => Code::AlreadyExists,
        403 => Code::PermissionDenied,
        401 => Code::Unauthenticated,
        429 => Code::ResourceExhausted,
        501 => Code::Unimplemented,
        503 => Code::Unavailable,
        _ => Code::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use tonic_types::StatusExt as _;

    use super::*;

    #[test]
    fn a_failed_answer_is_an_error_with_its_status() {
        for (status, expected) in [
            (400, Code::Internal),
            (404, Code::NotFound),
            (500, Code::Unknown),
            (302, Code::Unknown),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let headers = HeaderMap::from_iter([
                (HeaderName::from_static("x-own"), HeaderValue::from_static("1")),
                (header::SERVER, HeaderValue::from_static("me")),
            ]);
            let error = answer(status, headers, Bytes::from("x".repeat(100))).unwrap_err();
            assert_eq!(error.code(), expected, "{status}");
            let info = error.get_details_error_info().expect("details");
            assert_eq!(info.metadata["http.code"], status.as_str());
            assert_eq!(info.metadata["http.error_message"], "x".repeat(63));
            assert_eq!(error.metadata().get(HTTP_STATUS).unwrap(), status.as_str());
            assert_eq!(error.metadata().get("x-own").unwrap(), "1");
            assert_eq!(error.metadata().get("dapr-server").unwrap(), "me");
        }
    }

    #[test]
    fn an_answer_keeps_its_type_and_status() {
        let headers =
            HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"))]);
        let response = answer(StatusCode::CREATED, headers, Bytes::from_static(b"hi")).unwrap();
        assert_eq!(response.metadata().get(HTTP_STATUS).unwrap(), "201");
        let message = response.into_inner();
        assert_eq!(message.content_type, "text/plain");
        assert_eq!(message.data.expect("data").value, b"hi");
    }
}
