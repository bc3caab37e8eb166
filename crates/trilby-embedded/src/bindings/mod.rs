//! Bindings: files (`bindings.localstorage`, output), requests to one server (`bindings.http`,
//! output), and schedules (`bindings.cron`, input).

mod cron;
mod http;
mod localstorage;

use trilby_dapr::messaging::{BindingReply, InvokeBinding};
use trilby_dapr::{CallContext, Result};

pub(crate) use cron::{Cron, Schedule, headers as cron_headers};

use self::http::Http;
use self::localstorage::LocalStorage;
use crate::Error;
use crate::component::Component;

/// A binding that guests invoke.
pub(crate) enum Output {
    Http(Box<Http>),
    LocalStorage(LocalStorage),
}

impl Output {
    /// Opens the binding that a component describes.
    pub(crate) fn open(component: &Component) -> std::result::Result<Self, Error> {
        Ok(match component.type_name.as_str() {
            "bindings.http" => Self::Http(Box::new(Http::open(component)?)),
            _ => Self::LocalStorage(LocalStorage::open(component)?),
        })
    }

    /// Runs an operation. The caller sees to its deadline.
    pub(crate) async fn invoke(
        &self,
        cx: &CallContext,
        request: InvokeBinding,
    ) -> Result<BindingReply> {
        match self {
            Self::Http(http) => http.invoke(cx, request).await,
            Self::LocalStorage(files) => files.invoke(request).await,
        }
    }
}
