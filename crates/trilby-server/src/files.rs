//! Files of a folder, served as they are.

use std::path::Path;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty};
use percent_encoding::percent_decode_str;
use tokio::sync::OwnedSemaphorePermit;
use tower_http::services::ServeDir;

use crate::body::ResponseBody;
use crate::outcome::Outcome;

/// The one hidden name that is served: what others must find there (RFC 8615).
const WELL_KNOWN: &str = ".well-known";

/// A folder of files: types by extension, ranges, conditional requests, `index.html` for a folder.
#[derive(Clone, Debug)]
pub struct Files {
    folder: ServeDir,
}

impl Files {
    /// The files of this folder. Links in it are followed.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: ServeDir::new(folder) }
    }

    /// Answers with the file at `path_info` below the folder, for a route that matched
    /// `script_name`.
    pub(crate) async fn answer(
        &self,
        head: &Parts,
        (script_name, path_info): (&str, &str),
        turn: Option<OwnedSemaphorePermit>,
    ) -> Result<Response<ResponseBody>, Outcome> {
        if !matches!(head.method, Method::GET | Method::HEAD) {
            return Err(Outcome::MethodNotAllowed { allow: "GET, HEAD".to_owned() });
        }
        if is_hidden(path_info) {
            return Err(Outcome::NoRoute);
        }
        // Relative links in the folder's page need the slash.
        if path_info.is_empty() && !script_name.is_empty() {
            return redirect(head, &format!("{script_name}/"));
        }
        let path = if path_info.is_empty() { "/" } else { path_info };
        let uri = Uri::try_from(path).map_err(|_| Outcome::NoRoute)?;
        let mut inner = Request::new(Empty::<Bytes>::new());
        *inner.method_mut() = head.method.clone();
        *inner.uri_mut() = uri;
        *inner.headers_mut() = head.headers.clone();
        let is_list = |range: &HeaderValue| range.as_bytes().contains(&b',');
        if head.headers.get(header::RANGE).is_some_and(is_list) {
            // Several ranges at once may be answered with all of it (RFC 9110 section 14.2).
            inner.headers_mut().remove(header::RANGE);
        }
        let answered = self.folder.clone().try_call(inner).await;
        let response = answered.map_err(|error| outcome(&error))?;
        if response.status() == StatusCode::NOT_FOUND {
            return Err(Outcome::NoRoute);
        }
        // A folder without its slash: the answer knows only the path below the route's.
        if response.headers().contains_key(header::LOCATION) {
            return redirect(head, &format!("{script_name}{path}/"));
        }
        let mut response = response.map(|body| ResponseBody::File(body.boxed_unsync(), turn));
        say_charset(response.headers_mut());
        Ok(response)
    }
}

/// Leads to a path of this host, with the client's own query.
fn redirect(head: &Parts, path: &str) -> Result<Response<ResponseBody>, Outcome> {
    // Two slashes at the start would begin with another host.
    let path = path.trim_start_matches('/');
    let query = head.uri.query().map_or_else(String::new, |query| format!("?{query}"));
    let location = HeaderValue::try_from(format!("/{path}{query}"));
    let mut response = Response::new(ResponseBody::whole(""));
    *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    response.headers_mut().insert(header::LOCATION, location.map_err(|_| Outcome::NoRoute)?);
    Ok(response)
}

/// Text is taken for UTF-8: without a word about it, browsers guess.
fn say_charset(headers: &mut HeaderMap) {
    let Some(content_type) = headers.get(header::CONTENT_TYPE).and_then(|t| t.to_str().ok()) else {
        return;
    };
    if content_type.starts_with("text/")
        && !content_type.contains("charset")
        && let Ok(whole) = HeaderValue::try_from(format!("{content_type}; charset=utf-8"))
    {
        headers.insert(header::CONTENT_TYPE, whole);
    }
}

/// What cannot be had is not there, as far as a client is concerned.
fn outcome(error: &std::io::Error) -> Outcome {
    use std::io::ErrorKind::{
        InvalidFilename, InvalidInput, IsADirectory, NotADirectory, NotFound, PermissionDenied,
    };
    match error.kind() {
        NotFound | PermissionDenied | NotADirectory | IsADirectory | InvalidInput
        | InvalidFilename => Outcome::NoRoute,
        _ => Outcome::Host(error.to_string()),
    }
}

/// Whether a path names a file that is hidden by its name, such as `.git` or `.env`.
fn is_hidden(path: &str) -> bool {
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    decoded.split(['/', '\\']).any(|segment| segment.starts_with('.') && segment != WELL_KNOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_not_there_has_no_route() {
        let folder = tempfile::tempdir().expect("can make a folder");
        std::fs::write(folder.path().join("a.txt"), "a").expect("can write");
        std::fs::create_dir(folder.path().join("empty")).expect("can write");
        let files = Files::new(folder.path());
        let long = format!("/{}", "x".repeat(300));
        for path in ["/none", "/none/", "/a.txt/b", "/empty/", "/%00", "/%FF", &long] {
            for method in [Method::GET, Method::HEAD] {
                let request = Request::builder().method(&method).uri("/");
                let (head, ()) = request.body(()).expect("valid").into_parts();
                let answer =
                    files.answer(&head, ("", path), None).await.map(|answer| answer.status());
                assert_eq!(answer, Err(Outcome::NoRoute), "{method} {path}");
            }
        }
    }

    #[test]
    fn hidden_names_are_not_served() {
        for (path, hidden) in [
            ("/index.html", false),
            ("/a.b/c", false),
            ("/.well-known/acme", false),
            ("/.env", true),
            ("/.git/config", true),
            ("/a/../b", true),
            ("/%2eenv", true),
            ("/a/.%2Fb", true),
        ] {
            assert_eq!(is_hidden(path), hidden, "{path}");
        }
    }
}
