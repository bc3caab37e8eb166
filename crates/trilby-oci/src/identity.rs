//! The trade of an identity token, which `docker login` may leave, for an access token.
//!
//! It is the OAuth2 request of the distribution project's token specification. `oci-client` knows
//! only the older one, with a name and a password.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, USER_AGENT, WWW_AUTHENTICATE};
use http::{HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use crate::Error;
use crate::classify::Question;

/// The largest answer of a token service that is read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// What a form encodes: all but the unreserved characters (RFC 3986, 2.3).
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[derive(Deserialize)]
struct Answer {
    access_token: String,
}

/// Where a registry says that its tokens are given out.
#[derive(Debug, PartialEq, Eq)]
struct Challenge {
    realm: String,
    service: Option<String>,
}

/// Trades the token. `url` is the registry's `/v2/`, whose challenge names the token service.
pub(crate) async fn exchange(
    question: Question<'_>,
    url: &str,
    token: &str,
    connect_timeout: Duration,
) -> Result<String, Error> {
    let client = client(connect_timeout)?;
    let probe = Request::get(url).header(USER_AGENT, "trilby").body(Full::default());
    let probe = probe.map_err(|error| question.answer(error.to_string()))?;
    let answer = client.request(probe).await.map_err(|error| question.unreached(error))?;
    if answer.status().is_server_error() || answer.status() == StatusCode::TOO_MANY_REQUESTS {
        return Err(question.status(answer.status().as_u16(), ""));
    }
    let challenge = answer.headers().get_all(WWW_AUTHENTICATE).iter().find_map(challenge);
    let challenge = challenge.ok_or_else(|| {
        question.answer("it names no token service for the identity token".to_owned())
    })?;
    if url.starts_with("https:") && !challenge.realm.starts_with("https:") {
        return Err(question.answer("its token service is not behind TLS".to_owned()));
    }
    let form = form(&challenge, question.reference.repository(), token);
    let trade = Request::post(&challenge.realm)
        .header(USER_AGENT, "trilby")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::from(form));
    let trade = trade.map_err(|error| question.answer(error.to_string()))?;
    let answer = client.request(trade).await.map_err(|error| question.unreached(error))?;
    match answer.status() {
        StatusCode::OK => {}
        // RFC 6749, 5.2: a refused token is `400 invalid_grant`.
        StatusCode::BAD_REQUEST => return Err(question.unauthorized()),
        status => return Err(question.status(status.as_u16(), "of the token service")),
    }
    let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| question.answer(error.to_string()))?.to_bytes();
    // Without the parser's words: it may quote the token.
    let Ok(Answer { access_token }) = serde_json::from_slice(&body) else {
        return Err(question.answer("its token service gives no `access_token`".to_owned()));
    };
    Ok(access_token)
}

fn client(
    connect_timeout: Duration,
) -> Result<Client<hyper_rustls::HttpsConnector<HttpConnector>, Full<Bytes>>, Error> {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_connect_timeout(Some(connect_timeout));
    let connector = hyper_rustls::HttpsConnectorBuilder::new()
        .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
        .map_err(|source| Error::Client { source: source.into() })?
        .https_or_http()
        .enable_http1()
        .wrap_connector(http);
    Ok(Client::builder(TokioExecutor::new()).build(connector))
}

fn form(challenge: &Challenge, repository: &str, token: &str) -> String {
    let scope = format!("repository:{repository}:pull");
    let mut fields = vec![
        ("grant_type", "refresh_token"),
        ("client_id", "trilby"),
        ("scope", &scope),
        ("refresh_token", token),
    ];
    if let Some(service) = &challenge.service {
        fields.push(("service", service));
    }
    let encode = |text| utf8_percent_encode(text, FORM);
    let pairs = fields.iter().map(|(name, value)| format!("{name}={}", encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// Reads `Bearer realm="…",service="…"` (RFC 9110, 11.3).
fn challenge(value: &HeaderValue) -> Option<Challenge> {
    let text = value.to_str().ok()?;
    let (scheme, mut rest) = text.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let (mut realm, mut service) = (None, None);
    while let Some((name, after)) = rest.split_once("=\"") {
        let (value, after) = after.split_once('"')?;
        match name.trim_matches([' ', ',']).to_ascii_lowercase().as_str() {
            "realm" => realm = Some(value.to_owned()),
            "service" => service = Some(value.to_owned()),
            _ => {}
        }
        rest = after;
    }
    Some(Challenge { realm: realm?, service })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_names_the_token_service() {
        let full = Challenge { realm: "https://a/token".to_owned(), service: Some("a".to_owned()) };
        let bare = Challenge { realm: "https://a/token".to_owned(), service: None };
        for (text, expected) in [
            (r#"Bearer realm="https://a/token",service="a""#, Some(&full)),
            (r#"bearer service="a", scope="x:y,z", Realm="https://a/token""#, Some(&full)),
            (r#"Bearer realm="https://a/token""#, Some(&bare)),
            (r#"Basic realm="https://a/token""#, None),
            (r#"Bearer service="a""#, None),
            (r#"Bearer realm="https://a"#, None),
            ("Bearer", None),
            ("", None),
        ] {
            let found = challenge(&HeaderValue::from_static(text));
            assert_eq!(found.as_ref(), expected, "{text}");
        }
    }

    #[test]
    fn the_form_is_encoded() {
        let challenge = Challenge { realm: String::new(), service: Some("a b".to_owned()) };
        assert_eq!(
            form(&challenge, "acme/hello", "t&=+"),
            "grant_type=refresh_token&client_id=trilby&scope=repository%3Aacme%2Fhello%3Apull\
             &refresh_token=t%26%3D%2B&service=a%20b"
        );
    }
}
