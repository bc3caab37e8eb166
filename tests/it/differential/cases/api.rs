//! The API itself: metadata, health, what it does not know, invocation, actors.

use crate::differential::case::{Case, case, steps};
use crate::differential::steps::{invoke, metadata, rpc, send, set_metadata, token};

/// What the runtime tells of itself.
pub(in crate::differential) fn told() -> Vec<Case> {
    vec![
        case("metadata/id", steps![metadata("id")]),
        case("metadata/version", steps![metadata("runtimeVersion")]).differs("runtime-version"),
        case("metadata/components", steps![metadata("components")]).differs("no-actors"),
        case("metadata/extended", steps![set_metadata("suite", "value"), metadata("extended")])
            .differs("runtime-version"),
        case("metadata/extended, empty value", {
            steps![set_metadata("suite-empty", ""), metadata("extended")]
        })
        .differs("runtime-version"),
        case("metadata/extended, odd name", {
            steps![set_metadata("suite odd/ü", "v"), metadata("extended")]
        })
        .differs("runtime-version"),
        case("metadata/extended, unicode", {
            steps![set_metadata("suite-unicode", "grüße"), metadata("extended")]
        })
        .differs("runtime-version"),
        case("metadata/actors", steps![metadata("actorRuntime")]),
        case("metadata/subscriptions", steps![metadata("subscriptions")]),
        case("metadata/features", steps![metadata("enabledFeatures")]).differs("runtime-features"),
        case("metadata/app", steps![metadata("appConnectionProperties")]).differs("own-app"),
        case("metadata/HTTP by POST", steps![send("POST", "/v1.0/metadata", "")]).http_only(),
        case("metadata/HTTP, put without a name", steps![send("PUT", "/v1.0/metadata", "x")])
            .http_only(),
        case("metadata/HTTP, get by name", steps![send("GET", "/v1.0/metadata/suite", "")])
            .http_only(),
        case("health", steps![send("GET", "/v1.0/healthz", "")]).http_only(),
        case("health/outbound", steps![send("GET", "/v1.0/healthz/outbound", "")]).http_only(),
        case("health/of an app", steps![send("GET", "/v1.0/healthz?appid=@app", "")]).http_only(),
        case("health/of another app", steps![send("GET", "/v1.0/healthz?appid=other", "")])
            .http_only(),
        case("health/by POST", steps![send("POST", "/v1.0/healthz", "")]).http_only(),
    ]
}

/// Paths, methods and rpcs that there are not.
pub(in crate::differential) fn unknown() -> Vec<Case> {
    let asked = |method, path| {
        case(format!("unknown/{method} {path}"), steps![send(method, path, "")]).http_only()
    };
    let called = |path| case(format!("unknown/{path}"), steps![rpc(path, b"")]).grpc_only();
    vec![
        asked("GET", "/"),
        asked("GET", "/v1.0"),
        asked("GET", "/v1.0/"),
        asked("GET", "/v1.0/odd"),
        asked("GET", "/v1.0/odd/a/b"),
        asked("POST", "/v1.0/odd"),
        asked("GET", "/v2.0/state/memory/k"),
        asked("GET", "/healthz"),
        asked("GET", "/v1.0/STATE/memory/k"),
        asked("OPTIONS", "/v1.0/state/memory"),
        asked("GET", "/v1.0/shutdown"),
        asked("GET", "/v1.0/workflows/dapr/1").differs("no-workflows"),
        asked("POST", "/v1.0/subtlecrypto/crypto/getkey"),
        asked("GET", "/v1.0/../v1.0/odd"),
        called("/dapr.proto.runtime.v1.Dapr/NoSuchRpc"),
        called("/my.Service/Method"),
        called("/dapr.proto.runtime.v1.Dapr/SubtleGetKeyAlpha1"),
        called("/grpc.health.v1.Health/Check"),
    ]
}

/// Service invocation: of this app, and of one that nobody hosts.
pub(in crate::differential) fn invocation() -> Vec<Case> {
    let own = |name: &str, verb, method, data: &'static str| {
        case(format!("invoke/{name}"), steps![invoke("@app", verb, method, data)])
    };
    vec![
        own("own app", "POST", "echo/a", "text"),
        own("own app by GET", "GET", "echo/a", ""),
        own("own app by PUT", "PUT", "echo/a", "text"),
        own("own app by DELETE", "DELETE", "echo/a", ""),
        own("own app by PATCH", "PATCH", "echo/a", "text"),
        own("own app with a query", "POST", "echo/a?b=c&d=%20", "text"),
        own("a path that the app has not", "GET", "nowhere", ""),
        own("an app that fails", "GET", "trap", ""),
        own("without a method", "GET", "", ""),
        own("a path with dots", "POST", "echo/x/../a", "text"),
        case("invoke/own app, JSON", {
            steps![invoke("@app", "POST", "echo/a", "{\"a\":1}").typed("application/json")]
        }),
        case("invoke/nobody", steps![invoke("nobody", "POST", "a", "text")]),
        case("invoke/no app", steps![rpc("/dapr.proto.runtime.v1.Dapr/InvokeService", b"")])
            .grpc_only(),
        case("invoke/no message", steps![rpc("/dapr.proto.runtime.v1.Dapr/InvokeService", b"a")])
            .grpc_only(),
        case("invoke/HTTP by header", {
            steps![send("POST", "/echo/a", "text").headers([("dapr-app-id", "@app")])]
        })
        .http_only(),
        case("invoke/HTTP by header, nobody", {
            steps![send("POST", "/echo/a", "text").headers([("dapr-app-id", "nobody")])]
        })
        .http_only(),
        case("invoke/HTTP, no method", steps![send("GET", "/v1.0/invoke/nobody", "")]).http_only(),
        case("invoke/HTTP, no app", steps![send("GET", "/v1.0/invoke//method/a", "")]).http_only(),
    ]
}

/// Actors, where nobody places them.
pub(in crate::differential) fn actors() -> Vec<Case> {
    let asked = |method, path, body: &'static str| {
        case(format!("actors/{method} {path}"), steps![send(method, path, body)]).http_only()
    };
    let called =
        |rpc_path| case(format!("actors/{rpc_path}"), steps![rpc(rpc_path, b"thing")]).grpc_only();
    vec![
        asked("POST", "/v1.0/actors/thing/1/method/m", "{}"),
        asked("GET", "/v1.0/actors/thing/1/state/k", ""),
        asked("POST", "/v1.0/actors/thing/1/state", "[]"),
        asked("POST", "/v1.0/actors/thing/1/state", "{").differs("json-texts"),
        asked("POST", "/v1.0/actors/thing/1/reminders/r", "{\"dueTime\":\"1h\"}"),
        asked("POST", "/v1.0/actors/thing/1/reminders/r", "{"),
        asked("GET", "/v1.0/actors/thing/1/reminders/r", ""),
        asked("DELETE", "/v1.0/actors/thing/1/reminders/r", ""),
        asked("POST", "/v1.0/actors/thing/1/timers/t", "{\"dueTime\":\"1h\"}"),
        asked("DELETE", "/v1.0/actors/thing/1/timers/t", ""),
        asked("GET", "/v1.0/actors/thing/1/odd", ""),
        called("/dapr.proto.runtime.v1.Dapr/InvokeActor"),
        called("/dapr.proto.runtime.v1.Dapr/GetActorState"),
        called("/dapr.proto.runtime.v1.Dapr/ExecuteActorStateTransaction"),
        called("/dapr.proto.runtime.v1.Dapr/RegisterActorReminder"),
        called("/dapr.proto.runtime.v1.Dapr/UnregisterActorReminder"),
        called("/dapr.proto.runtime.v1.Dapr/RegisterActorTimer"),
        called("/dapr.proto.runtime.v1.Dapr/UnregisterActorTimer"),
        called("/dapr.proto.runtime.v1.Dapr/GetActorReminder"),
        called("/dapr.proto.runtime.v1.Dapr/ListActorReminders"),
    ]
}

/// With a token that callers must show.
pub(in crate::differential) fn tokens() -> Vec<Case> {
    let asked = |name: &str, shown: &'static str, path| {
        case(format!("token/{name}"), steps![token(shown), send("GET", path, "")]).http_only()
    };
    vec![
        case("token/none", steps![metadata_id()]),
        case("token/right", steps![token("right"), metadata("id")]),
        case("token/wrong", steps![token("wrong"), metadata_id()]),
        case("token/empty", steps![token(""), metadata_id()]),
        case("token/in another case", steps![token("RIGHT"), metadata_id()]),
        case("token/none, health", steps![send("GET", "/v1.0/healthz", "")]).http_only(),
        case("token/none, outbound health", steps![send("GET", "/v1.0/healthz/outbound", "")])
            .http_only(),
        case("token/none, unknown path", steps![send("GET", "/v1.0/odd", "")]).http_only(),
        case("token/none, unknown rpc", steps![rpc("/my.Service/Method", b"")]).grpc_only(),
        asked("right, unknown path", "right", "/v1.0/odd"),
        asked("right, unknown store", "right", "/v1.0/state/none/k"),
        case("token/in the query", steps![send("GET", "/v1.0/metadata?dapr-api-token=right", "")])
            .http_only(),
        case("token/as a bearer", {
            let bearer = [("authorization", "Bearer right")];
            steps![send("GET", "/v1.0/state/none/k", "").headers(bearer)]
        })
        .http_only(),
    ]
}

/// The same question over either protocol, without reading the answer as metadata.
fn metadata_id() -> impl crate::differential::case::Step {
    crate::differential::steps::get("none", "k")
}

/// Bodies beyond what the API takes.
pub(in crate::differential) fn sizes() -> Vec<Case> {
    use crate::differential::steps::{get, item, publish, save};
    let value = |bytes: usize| format!("\"{}\"", "x".repeat(bytes));
    vec![
        case("size/a value of 3 MiB", {
            steps![save("memory", [item("$", value(3 << 20))]), get("memory", "$")]
        }),
        case("size/a value of 5 MiB", {
            steps![save("memory", [item("$", value(5 << 20))]), get("memory", "$")]
        }),
        case("size/an event of 5 MiB", steps![publish("pubsub", "$", value(5 << 20))]),
        case("size/a path of 10 KB", steps![get("memory", LONG)]).http_only().differs("long-heads"),
    ]
}

/// Ten thousand bytes.
const LONG: &str = {
    const BYTES: [u8; 10_000] = [b'k'; 10_000];
    match std::str::from_utf8(&BYTES) {
        Ok(text) => text,
        Err(_) => "",
    }
};
