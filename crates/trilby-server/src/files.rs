//! Files of a folder, served as they are.

use std::path::Path;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, Uri, header};
use http_body_util::{BodyExt, Empty};
use percent_encoding::percent_decode_str;
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
        script_name: &str,
        path_info: &str,
    ) -> Result<Response<ResponseBody>, Outcome> {
        if !matches!(head.method, Method::GET | Method::HEAD) {
            return Err(Outcome::MethodNotAllowed { allow: "GET, HEAD".to_owned() });
        }
        if is_hidden(path_info) {
            return Err(Outcome::NoRoute);
        }
        let path = if path_info.is_empty() { "/" } else { path_info };
        let uri = Uri::try_from(path).map_err(|_| Outcome::NoRoute)?;
        let mut inner = Request::new(Empty::<Bytes>::new());
        *inner.method_mut() = head.method.clone();
        *inner.uri_mut() = uri;
        *inner.headers_mut() = head.headers.clone();
        let answered = self.folder.clone().try_call(inner).await;
        let mut response = answered.map_err(|error| Outcome::Host(error.to_string()))?;
        if response.status() == http::StatusCode::NOT_FOUND {
            return Err(Outcome::NoRoute);
        }
        // A folder without its slash: the answer knows only the path below the route's.
        if let Some(location) = response.headers().get(header::LOCATION)
            && let Ok(below) = location.to_str()
            && let Ok(whole) = HeaderValue::try_from(format!("{script_name}{below}"))
        {
            response.headers_mut().insert(header::LOCATION, whole);
        }
        Ok(response.map(|body| ResponseBody::File(body.boxed_unsync())))
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
