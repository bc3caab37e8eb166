//! What is told of each call: who was asked for what, how it ended and how long it took. Never a
//! key or a value.

use tokio::time::Instant;
use tracing::Level;
use trilby_dapr::Error;

use crate::operation::Operation;
use crate::shown;

const TARGET: &str = "trilby::dapr";

/// A call under way. It costs nothing where nobody listens.
pub(crate) struct Observed(Option<Begun>);

struct Begun {
    operation: Operation,
    component: String,
    since: Instant,
}

impl Observed {
    pub(crate) fn begin(operation: Operation, component: &str) -> Self {
        if !tracing::enabled!(target: TARGET, Level::DEBUG) {
            return Self(None);
        }
        let component = if operation.names_component { shown(component) } else { String::new() };
        Self(Some(Begun { operation, component, since: Instant::now() }))
    }

    pub(crate) fn end<T>(self, result: &Result<T, Error>) {
        let Some(Begun { operation, component, since }) = self.0 else { return };
        let outcome = result.as_ref().map_or_else(|error| error.code.name(), |_| "OK");
        tracing::debug!(
            target: TARGET,
            block = operation.module,
            operation = operation.name,
            component,
            outcome,
            duration = ?since.elapsed(),
        );
    }
}
