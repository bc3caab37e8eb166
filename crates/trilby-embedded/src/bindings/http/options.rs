//! The metadata of `bindings.http`.

use std::time::Duration;

use bytesize::ByteSize;
use http::{HeaderName, HeaderValue, Uri};

use crate::Error;
use crate::component::Component;
use crate::duration;

/// The largest answer, unless the metadata says otherwise: as in daprd.
const ANSWER_BYTES_MAX: usize = 100 << 20;

/// Where requests go, and what goes with them.
pub(super) struct Options {
    /// Without a slash at its end.
    pub(super) url: String,
    /// What messages show of the server.
    pub(super) shown: String,
    pub(super) response_timeout: Option<Duration>,
    pub(super) answer_bytes_max: usize,
    pub(super) error_if_not_2xx: bool,
    /// A header of the operator's for every request.
    pub(super) token: Option<(HeaderName, HeaderValue)>,
}

impl Options {
    pub(super) fn of(component: &Component) -> Result<Self, Error> {
        for name in ["MTLSRootCA", "MTLSClientCert", "MTLSClientKey", "MTLSRenegotiation"] {
            if component.get(name).is_some() {
                return Err(component.mistake_in(name, format!(
                    "the embedded runtime trusts the certificates that this system trusts and has \
                     none of its own; remove `{name}`, or run the app with a daprd sidecar"
                )));
            }
        }
        let (url, shown) = url(component)?;
        let response_timeout = component.get("responseTimeout").map(|text| {
            duration::parse(text).filter(|time| !time.is_zero()).ok_or_else(|| {
                let text = component.shown("responseTimeout", text);
                component.mistake_in("responseTimeout", format!(
                    "`responseTimeout` is `{text}`, which is no duration above zero; write 500ms \
                     or 10s"
                ))
            })
        });
        Ok(Self {
            url,
            shown,
            response_timeout: response_timeout.transpose()?,
            answer_bytes_max: answer_bytes_max(component)?,
            error_if_not_2xx: component.get("errorIfNot2XX").is_none()
                || component.flag("errorIfNot2XX"),
            token: token(component)?,
        })
    }

    pub(super) fn is_https(&self) -> bool {
        self.url.starts_with("https:")
    }
}

fn url(component: &Component) -> Result<(String, String), Error> {
    let text = component.required("url")?;
    let wrong = |why: &str| {
        let text = component.shown("url", text);
        component.mistake_in("url", format!("`url` is `{text}`, {why}"))
    };
    let uri: Uri = text.parse().map_err(|_| wrong("which is none; write `https://host/path`"))?;
    let (Some("http" | "https"), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(wrong("which is none; write `https://host/path`"));
    };
    if authority.as_str().contains('@') {
        let message = "`url` has a name or a password in it; use `securityToken` and \
                       `securityTokenHeader`";
        return Err(component.mistake_in("url", message));
    }
    let server = format!("{}://{authority}", uri.scheme_str().unwrap_or_default());
    let shown = component.shown("url", &server).to_owned();
    Ok((text.to_owned(), shown))
}

/// As in daprd a number of bytes or one with a unit. What means no limit there means the default.
fn answer_bytes_max(component: &Component) -> Result<usize, Error> {
    let name = "maxResponseBodySize";
    let Some(text) = component.get(name) else { return Ok(ANSWER_BYTES_MAX) };
    if text == "0" || text.starts_with('-') {
        return Ok(ANSWER_BYTES_MAX);
    }
    let size = text.parse::<ByteSize>().ok().and_then(|size| usize::try_from(size.0).ok());
    size.ok_or_else(|| {
        let text = component.shown(name, text);
        component.mistake_in(name, format!("`{name}` is `{text}`; write a size such as 10Mi"))
    })
}

fn token(component: &Component) -> Result<Option<(HeaderName, HeaderValue)>, Error> {
    let pair = (component.get("securityTokenHeader"), component.get("securityToken"));
    let (Some(name), Some(value)) = pair else { return Ok(None) };
    let wrong = |name: &str| {
        component.mistake_in(name, format!("the value of `{name}` cannot be part of a header"))
    };
    let name = name.parse().map_err(|_| wrong("securityTokenHeader"))?;
    let mut value: HeaderValue = value.parse().map_err(|_| wrong("securityToken"))?;
    value.set_sensitive(true);
    Ok(Some((name, value)))
}
