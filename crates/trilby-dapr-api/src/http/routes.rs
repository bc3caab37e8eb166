//! The routes of the HTTP API: which handler answers which method and path.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::{Method, Response};
use tonic::body::Body;

use super::asked::{self, Asked, Refusal};
use super::{
    actors, bindings, configuration, conversation, crypto, health, invoke, jobs, lock, metadata,
    publish, secrets, state,
};
use crate::api::Shared;

/// Answers the requests of one route.
pub(super) type Handler = fn(Arc<Shared>, Asked) -> BoxFuture<'static, Response<Body>>;

/// One route.
pub(super) struct Route {
    /// Any if there are none.
    methods: &'static [Method],
    /// The first part of the path.
    prefix: &'static str,
    /// The others: `{}` stands for any one, and `*` at the end for one or more.
    pattern: &'static str,
    /// Its group in Dapr's `Configuration`.
    pub(super) group: &'static str,
    /// Its version there.
    pub(super) version: &'static str,
    pub(super) handler: Handler,
}

/// What is found.
pub(super) enum Found {
    Route(&'static Route, Vec<String>),
    /// A part of the path is not encoded rightly.
    BadParam(String),
    Nothing,
}

const ANY: &[Method] = &[];
const GET: &[Method] = &[Method::GET];
const POST: &[Method] = &[Method::POST];
const PUT: &[Method] = &[Method::PUT];
const DELETE: &[Method] = &[Method::DELETE];
const WRITE: &[Method] = &[Method::POST, Method::PUT];
const CALL: &[Method] = &[Method::GET, Method::POST, Method::DELETE, Method::PUT];

macro_rules! route {
    ($methods:expr, $prefix:literal, $pattern:literal, $group:literal, $handler:path) => {
        Route {
            methods: $methods,
            prefix: $prefix,
            pattern: $pattern,
            group: $group,
            version: version($prefix),
            handler: |shared, asked| {
                $handler(shared, asked)
                    .map(|answered| answered.unwrap_or_else(Refusal::told))
                    .boxed()
            },
        }
    };
}

/// All routes. Of two that fit, the one that comes first answers.
#[rustfmt::skip]
const ROUTES: &[Route] = &[
    route!(WRITE, "v1.0", "state/{}/bulk", "state", state::get_many),
    route!(WRITE, "v1.0", "state/{}/transaction", "state", state::transact),
    route!(WRITE, "v1.0-alpha1", "state/{}/query", "state", state::query),
    route!(GET, "v1.0", "state/{}/{}", "state", state::get),
    route!(DELETE, "v1.0", "state/{}/{}", "state", state::delete),
    route!(WRITE, "v1.0", "state/{}", "state", state::save),
    route!(WRITE, "v1.0", "publish/bulk/{}/*", "publish", publish::publish_many),
    route!(WRITE, "v1.0-alpha1", "publish/bulk/{}/*", "publish", publish::publish_many),
    route!(WRITE, "v1.0", "publish/{}/*", "publish", publish::publish),
    route!(WRITE, "v1.0", "bindings/{}", "bindings", bindings::invoke),
    route!(GET, "v1.0", "secrets/{}/bulk", "secrets", secrets::get_all),
    route!(GET, "v1.0", "secrets/{}/{}", "secrets", secrets::get),
    route!(GET, "v1.0", "configuration/{}/subscribe", "configuration", configuration::subscribe),
    route!(GET, "v1.0", "configuration/{}/{}/unsubscribe", "configuration", configuration::unsubscribe),
    route!(GET, "v1.0", "configuration/{}", "configuration", configuration::get),
    route!(GET, "v1.0-alpha1", "configuration/{}/subscribe", "configuration", configuration::subscribe),
    route!(GET, "v1.0-alpha1", "configuration/{}/{}/unsubscribe", "configuration", configuration::unsubscribe),
    route!(GET, "v1.0-alpha1", "configuration/{}", "configuration", configuration::get),
    route!(POST, "v1.0-alpha1", "lock/{}", "lock", lock::try_lock),
    route!(POST, "v1.0-alpha1", "unlock/{}", "unlock", lock::unlock),
    route!(POST, "v1.0", "jobs/{}", "jobs", jobs::schedule),
    route!(GET, "v1.0", "jobs/{}", "jobs", jobs::get),
    route!(DELETE, "v1.0", "jobs/{}", "jobs", jobs::delete),
    route!(POST, "v1.0-alpha1", "jobs/{}", "jobs", jobs::schedule),
    route!(GET, "v1.0-alpha1", "jobs/{}", "jobs", jobs::get),
    route!(DELETE, "v1.0-alpha1", "jobs/{}", "jobs", jobs::delete),
    route!(PUT, "v1.0-alpha1", "crypto/{}/encrypt", "crypto", crypto::encrypt),
    route!(PUT, "v1.0-alpha1", "crypto/{}/decrypt", "crypto", crypto::decrypt),
    route!(POST, "v1.0-alpha2", "conversation/{}/converse", "conversation", conversation::converse),
    route!(WRITE, "v1.0", "actors/{}/{}/state", "actors", actors::transact),
    route!(GET, "v1.0", "actors/{}/{}/state/{}", "actors", actors::get_state),
    route!(CALL, "v1.0", "actors/{}/{}/method/{}", "actors", actors::invoke),
    route!(WRITE, "v1.0", "actors/{}/{}/reminders/{}", "actors", actors::register_reminder),
    route!(GET, "v1.0", "actors/{}/{}/reminders/{}", "actors", actors::get_reminder),
    route!(DELETE, "v1.0", "actors/{}/{}/reminders/{}", "actors", actors::unregister_reminder),
    route!(WRITE, "v1.0", "actors/{}/{}/timers/{}", "actors", actors::register_timer),
    route!(DELETE, "v1.0", "actors/{}/{}/timers/{}", "actors", actors::unregister_timer),
    route!(GET, "v1.0", "metadata", "metadata", metadata::get),
    route!(PUT, "v1.0", "metadata/{}", "metadata", metadata::set),
    route!(GET, "v1.0", "healthz", "healthz", health::healthz),
    route!(GET, "v1.0", "healthz/outbound", "healthz", health::outbound),
    route!(POST, "v1.0", "shutdown", "shutdown", metadata::shutdown),
    route!(ANY, "v1.0", "invoke/*", "invoke", invoke::call),
];

/// A version as Dapr's `Configuration` writes it.
const fn version(prefix: &str) -> &'static str {
    match prefix.as_bytes() {
        b"v1.0-alpha1" => "v1alpha1",
        b"v1.0-alpha2" => "v1alpha2",
        _ => "v1",
    }
}

/// The route of a method and a cleaned path.
pub(super) fn find(method: &Method, path: &str) -> Found {
    let mut parts = path.split('/').skip(1);
    let Some(prefix) = parts.next() else { return Found::Nothing };
    let parts: Vec<&str> = parts.collect();
    let fits = |route: &&Route| {
        route.prefix == prefix && (route.methods.is_empty() || route.methods.contains(method))
    };
    for route in ROUTES.iter().filter(fits) {
        let Some(raw) = matches(route.pattern, &parts) else { continue };
        // An app's own path is not daprd's to decode.
        if route.group == "invoke" {
            return Found::Route(route, raw);
        }
        let mut params = Vec::with_capacity(raw.len());
        for param in raw {
            match asked::unescape(&param) {
                Some(param) => params.push(param),
                None => {
                    return Found::BadParam(format!(
                        "failed to unescape request parameter. Error: invalid URL escape in \
                         {param:?}"
                    ));
                }
            }
        }
        return Found::Route(route, params);
    }
    Found::Nothing
}

/// The parts that a pattern leaves open, if it fits.
fn matches(pattern: &str, parts: &[&str]) -> Option<Vec<String>> {
    let mut params = Vec::new();
    let mut rest = parts.iter();
    for wanted in pattern.split('/') {
        match wanted {
            "*" => {
                let rest: Vec<&str> = rest.copied().collect();
                params.extend((!rest.is_empty()).then(|| rest.join("/")));
                return (!rest.is_empty()).then_some(params);
            }
            "{}" => params.push((*rest.next()?).to_owned()),
            wanted if rest.next() == Some(&wanted) => {}
            _ => return None,
        }
    }
    rest.next().is_none().then_some(params)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(method: &Method, path: &str) -> String {
        match find(method, path) {
            Found::Route(route, params) => format!("{} {params:?}", route.pattern),
            Found::BadParam(_) => "bad".to_owned(),
            Found::Nothing => "nothing".to_owned(),
        }
    }

    #[test]
    fn paths_lead_to_routes() {
        use Method as M;
        for (method, path, expected) in [
            (M::GET, "/v1.0/state/s/k", r#"state/{}/{} ["s", "k"]"#),
            (M::GET, "/v1.0/state/s/a%2Fb+c", r#"state/{}/{} ["s", "a/b c"]"#),
            (M::GET, "/v1.0/state/s/bulk", r#"state/{}/{} ["s", "bulk"]"#),
            (M::POST, "/v1.0/state/s/bulk", r#"state/{}/bulk ["s"]"#),
            (M::PUT, "/v1.0/state/s", r#"state/{} ["s"]"#),
            (M::PATCH, "/v1.0/state/s", "nothing"),
            (M::GET, "/v1.0/state/s/%zz", "bad"),
            (M::POST, "/v1.0-alpha1/state/s/query", r#"state/{}/query ["s"]"#),
            (M::POST, "/v1.0/publish/p/a/b", r#"publish/{}/* ["p", "a/b"]"#),
            (M::POST, "/v1.0/publish/p", "nothing"),
            (M::POST, "/v1.0/publish/bulk/p/t", r#"publish/bulk/{}/* ["p", "t"]"#),
            (M::POST, "/v1.0/publish/bulk/t", r#"publish/{}/* ["bulk", "t"]"#),
            (M::GET, "/v1.0/secrets/s/bulk", r#"secrets/{}/bulk ["s"]"#),
            (
                M::GET,
                "/v1.0/configuration/c/i/unsubscribe",
                r#"configuration/{}/{}/unsubscribe ["c", "i"]"#,
            ),
            (M::GET, "/v1.0/healthz/outbound", "healthz/outbound []"),
            (M::TRACE, "/v1.0/invoke/a/method/x%2Fy", r#"invoke/* ["a/method/x%2Fy"]"#),
            (M::GET, "/v2.0/state/s/k", "nothing"),
            (M::GET, "/", "nothing"),
            (M::GET, "/v1.0", "nothing"),
        ] {
            assert_eq!(found(&method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn versions_are_those_of_the_configuration() {
        let versions = ["v1.0", "v1.0-alpha1", "v1.0-alpha2"].map(version);
        assert_eq!(versions, ["v1", "v1alpha1", "v1alpha2"]);
    }
}
