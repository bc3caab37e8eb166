//! `conversation.echo`: an answer that repeats the question, for tests without a language model.
//!
//! A call is JSON as in daprd's HTTP API (`v1.0-alpha2`): the `request` reads it, the `scrub` takes
//! out what is personal, and the `reply` is the echo.

mod reply;
mod request;
mod scrub;

use bytes::Bytes;

use self::request::Request;
use self::scrub::Scrubber;
use crate::Error;
use crate::component::Component;

pub(crate) mod refusals;

/// The component.
pub(crate) struct Echo {
    name: String,
    scrubber: Scrubber,
}

impl Echo {
    /// Opens the component; it has no metadata.
    pub(crate) fn open(component: &Component) -> Result<Self, Error> {
        let name = component.name.clone();
        let scrubber =
            Scrubber::new().map_err(|message| Error::Open { component: name.clone(), message })?;
        Ok(Self { name, scrubber })
    }

    /// Answers a conversation.
    pub(crate) fn converse(&self, json: &[u8]) -> trilby_dapr::Result<Bytes> {
        let request = Request::parse(json).map_err(refusals::malformed)?;
        request.check(&self.name)?;
        let scrub = |text: String| self.scrubber.scrub(text);
        let content = request.content(scrub);
        let calls = request.tool_calls().map_err(|why| refusals::failed(&self.name, &why))?;
        Ok(reply::json(&request, content, calls, scrub))
    }
}

#[cfg(test)]
mod tests;
