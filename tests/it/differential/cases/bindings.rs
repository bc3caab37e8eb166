//! Output bindings.

use crate::differential::case::{Case, Protocol, case, steps};
use crate::differential::steps::{bind, rpc, send};

/// Files, a cron, and what is refused.
pub(in crate::differential) fn all() -> Vec<Case> {
    let mut cases = files();
    cases.extend(requests());
    cases.extend(refused());
    cases
}

fn files() -> Vec<Case> {
    const F: &str = "files";
    let named = |operation, name: &str| bind(F, operation, "").with("fileName", name);
    let create = |name: &str, data: &'static str| bind(F, "create", data).with("fileName", name);
    vec![
        case("binding/create", steps![create("$.txt", "\"text\""), named("get", "$.txt")]),
        case("binding/create JSON", {
            steps![create("$.json", "{\"a\": [1, 2]}"), named("get", "$.json")]
        })
        .differs_over(Protocol::Http, "binding-values"),
        case("binding/create nothing", steps![create("$.txt", ""), named("get", "$.txt")]),
        case("binding/create null", steps![create("$.txt", "null"), named("get", "$.txt")]),
        case("binding/create a number", steps![create("$.txt", "12.50"), named("get", "$.txt")])
            .differs_over(Protocol::Http, "binding-values"),
        case("binding/create without a name", steps![bind(F, "create", "\"text\"")]),
        case("binding/create in a folder", {
            steps![create("$/a/b.txt", "\"text\""), named("get", "$/a/b.txt")]
        }),
        case("binding/create above the root", {
            steps![create("../../$.txt", "\"text\""), named("get", "$.txt")]
        }),
        case("binding/create over another", {
            steps![create("$", "\"one\""), create("$", "\"two\""), named("get", "$")]
        }),
        case("binding/create where a folder is", {
            steps![create("$/a", "\"one\""), create("$", "\"two\"")]
        }),
        case("binding/get missing", steps![named("get", "$.txt")]),
        case("binding/get without a name", steps![bind(F, "get", "")]),
        case("binding/get a folder", steps![create("$/a", "\"one\""), named("get", "$")]),
        case("binding/list", {
            steps![create("$/a", "\"one\""), create("$/b", "\"two\""), named("list", "$")]
        }),
        case("binding/list a file", steps![create("$", "\"one\""), named("list", "$")]),
        case("binding/list missing", steps![named("list", "$")]),
        case("binding/delete", {
            steps![create("$", "\"one\""), named("delete", "$"), named("get", "$")]
        }),
        case("binding/delete missing", steps![named("delete", "$")]),
        case("binding/delete without a name", steps![bind(F, "delete", "")]),
        case("binding/delete a folder", steps![create("$/a", "\"one\""), named("delete", "$")]),
        case("binding/bytes", {
            steps![bind(F, "create", vec![0, 255]).with("fileName", "$"), named("get", "$")]
        })
        .grpc_only(),
        case("binding/name of a file in another case", {
            steps![bind(F, "create", "\"text\"").with("FILENAME", "$"), named("get", "$")]
        }),
    ]
}

/// Calls of an HTTP server.
fn requests() -> Vec<Case> {
    let get = |path: &str| bind("web", "get", "").with("path", path);
    let lenient = |path: &str| bind("lenient", "get", "").with("path", path);
    vec![
        case("binding/web, get", steps![get("/status/200")]).differs("http-status-words"),
        case("binding/web, created", steps![get("/status/201")]).differs("http-status-words"),
        case("binding/web, an empty answer", steps![get("/status/204")])
            .differs("http-status-words"),
        case("binding/web, not found", steps![get("/status/404")])
            .differs_over(Protocol::Http, "binding-failure"),
        case("binding/web, a failure", steps![get("/status/500")])
            .differs_over(Protocol::Http, "binding-failure"),
        case("binding/web, not found is no error", steps![lenient("/status/404")])
            .differs("http-status-words"),
        case("binding/web, a failure is no error", steps![lenient("/status/500")])
            .differs("http-status-words"),
        case("binding/web, not found is no error for once", {
            steps![get("/status/404").with("errorIfNot2XX", "false")]
        })
        .differs("http-status-words"),
        case("binding/web, not found is an error for once", {
            steps![lenient("/status/404").with("errorIfNot2XX", "true")]
        })
        .differs_over(Protocol::Http, "binding-failure"),
        case("binding/web, a body of 1000 bytes", steps![get("/sized/1000")]),
        case("binding/web, no answer at all", steps![get("/half")]).differs("http-texts"),
        case("binding/web, unknown operation", steps![bind("web", "frob", "")]),
        case("binding/web, operation in another case", {
            steps![bind("web", "GET", "").with("path", "/status/200")]
        }),
        case("binding/web, create", {
            steps![bind("web", "create", "\"a\"").with("path", "/status/200")]
        })
        .differs("http-status-words"),
        case("binding/web, put", {
            steps![bind("web", "put", "\"a\"").with("path", "/status/200")]
        })
        .differs("http-status-words"),
        case("binding/web, head", steps![bind("web", "head", "").with("path", "/status/200")])
            .differs("http-status-words"),
        case("binding/web, delete", {
            steps![bind("web", "delete", "").with("path", "/status/200")]
        })
        .differs("http-status-words"),
        case("binding/web, without a path", steps![bind("web", "get", "")]).differs("http-texts"),
    ]
}

fn refused() -> Vec<Case> {
    let asked = |name: &str, body: &'static str| {
        let sent = send("POST", "/v1.0/bindings/files", body);
        case(format!("binding/HTTP {name}"), steps![sent]).http_only()
    };
    vec![
        case("binding/unknown", steps![bind("none", "create", "\"a\"")]),
        case("binding/component of another kind", steps![bind("memory", "create", "\"a\"")]),
        case("binding/unknown operation", steps![bind("files", "frob", "\"a\"")]),
        case("binding/operation in another case", {
            steps![bind("files", "CREATE", "\"a\"").with("fileName", "$")]
        }),
        case("binding/no operation", steps![bind("files", "", "\"a\"")]),
        case("binding/one that is for input only", steps![bind("tick", "create", "\"a\"")]),
        case("binding/rpc without a name", {
            steps![rpc("/dapr.proto.runtime.v1.Dapr/InvokeBinding", b"")]
        })
        .grpc_only(),
        asked("of broken JSON", "{\"operation\":"),
        asked("of nothing", ""),
        asked("of an empty object", "{}"),
        asked("of a list", "[]").differs("json-texts"),
        asked("with metadata that is a number", {
            "{\"operation\":\"get\",\"metadata\":{\"fileName\":1}}"
        })
        .differs("json-texts"),
        asked("with an unknown member", {
            "{\"operation\":\"list\",\"odd\":1,\"metadata\":{\"fileName\":\"$\"}}"
        }),
        case("binding/HTTP by PUT", {
            let body =
                "{\"operation\":\"create\",\"data\":\"a\",\"metadata\":{\"fileName\":\"$\"}}";
            steps![send("PUT", "/v1.0/bindings/files", body)]
        })
        .http_only(),
        case("binding/HTTP by GET", steps![send("GET", "/v1.0/bindings/files", "")]).http_only(),
        case("binding/HTTP without a name", steps![send("POST", "/v1.0/bindings", "{}")])
            .http_only(),
    ]
}
