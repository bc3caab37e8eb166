//! State: what is refused before a store sees it, and how a store names keys.

use crate::differential::case::{Case, Protocol, case, steps};
use crate::differential::steps::{
    bulk_get, delete, get, item, query, remove, rpc, save, send, transact, upsert,
};

/// Unknown stores and requests that are none.
pub(in crate::differential) fn errors() -> Vec<Case> {
    let mut cases = vec![
        case("state/unknown store, get", steps![get("none", "k")]),
        case("state/unknown store, save", steps![save("none", [item("k", "1")])]),
        case("state/unknown store, delete", steps![delete("none", item("k", ""))]),
        case("state/unknown store, bulk get", steps![bulk_get("none", ["k"])]),
        case("state/unknown store, query", steps![query("none", "{}")])
            .differs_over(Protocol::Http, "query-metadata"),
        case("state/unknown store, transaction", {
            steps![transact("none", [upsert(item("k", "1")), remove(item("l", ""))])]
        }),
        case("state/a component of another kind", steps![get("pubsub", "k")]),
        case("state/store in another case", steps![get("MEMORY", "k")]),
        case("state/rpc that is not UTF-8", {
            steps![rpc("/dapr.proto.runtime.v1.Dapr/GetState", b"\xff\xfe")]
        })
        .grpc_only()
        .differs("protobuf-texts"),
        case("state/rpc without a store", {
            steps![rpc("/dapr.proto.runtime.v1.Dapr/GetState", b"")]
        })
        .grpc_only(),
        case("state/rpc without a key", {
            steps![rpc("/dapr.proto.runtime.v1.Dapr/GetState", b"memory")]
        })
        .grpc_only(),
    ];
    cases.extend(requests());
    cases
}

fn requests() -> Vec<Case> {
    let asked = |name: &str, method, path, body: &'static str| {
        case(format!("state/HTTP {name}"), steps![send(method, path, body)]).http_only()
    };
    let save = |name: &str, body| asked(name, "POST", "/v1.0/state/memory", body);
    let bulk = |name: &str, body| asked(name, "POST", "/v1.0/state/memory/bulk", body);
    let transact = |name: &str, body| asked(name, "POST", "/v1.0/state/memory/transaction", body);
    let texts = |case: Case| case.differs("json-texts");
    vec![
        save("save of broken JSON", "[{\"key\":"),
        texts(save("save of an object", "{\"key\":\"$\",\"value\":1}")),
        save("save of nothing", ""),
        save("save of null", "null"),
        save("save without a key", "[{\"value\":1}]"),
        texts(save("save of a key that is a number", "[{\"key\":1,\"value\":1}]")),
        texts(save("save of an etag that is a number", "[{\"key\":\"$\",\"value\":1,\"etag\":1}]")),
        texts(save("save of metadata that is a number", {
            "[{\"key\":\"$\",\"value\":1,\"metadata\":{\"ttlInSeconds\":10}}]"
        })),
        save("save with an unknown member", "[{\"key\":\"$\",\"value\":1,\"odd\":true}]"),
        save("save with members in another case", "[{\"KEY\":\"$\",\"Value\":1}]")
            .differs("json-members"),
        save("save of a member twice", "[{\"key\":\"$\",\"value\":1,\"value\":2}]")
            .differs("json-members"),
        texts(save("save with a byte order mark", "\u{feff}[]")),
        save("save with something after it", "[] x"),
        asked("save by PUT", "PUT", "/v1.0/state/memory", "[{\"key\":\"$\",\"value\":1}]"),
        asked("save by PATCH", "PATCH", "/v1.0/state/memory", "[]"),
        asked("save with a slash at the end", "POST", "/v1.0/state/memory/", "[]"),
        asked("get of no key", "GET", "/v1.0/state/memory", ""),
        asked("get of no key, with a slash", "GET", "/v1.0/state/memory/", ""),
        asked("get of two segments", "GET", "/v1.0/state/memory/a/b", ""),
        asked("get with an encoded slash", "GET", "/v1.0/state/memory/a%2Fb", ""),
        asked("get with a doubled slash", "GET", "/v1.0/state//memory/k", ""),
        asked("head", "HEAD", "/v1.0/state/memory/k", ""),
        asked("delete of no key", "DELETE", "/v1.0/state/memory", ""),
        bulk("bulk get of broken JSON", "{\"keys\":[\"a\""),
        bulk("bulk get of nothing", ""),
        bulk("bulk get without keys", "{}"),
        texts(bulk("bulk get of keys that are numbers", "{\"keys\":[1]}")),
        asked("bulk get by PUT", "PUT", "/v1.0/state/memory/bulk", "{\"keys\":[\"none\"]}"),
        asked("the key bulk", "GET", "/v1.0/state/memory/bulk", ""),
        transact("transaction of broken JSON", "{\"operations\":["),
        transact("transaction of nothing", ""),
        transact("transaction without operations", "{}"),
        transact("transaction without a request", "{\"operations\":[{\"operation\":\"upsert\"}]}"),
        transact("transaction without a name", {
            "{\"operations\":[{\"request\":{\"key\":\"$\",\"value\":1}}]}"
        }),
        texts(transact("transaction with a request that is a list", {
            "{\"operations\":[{\"operation\":\"upsert\",\"request\":[]}]}"
        })),
        transact("transaction without a key", {
            "{\"operations\":[{\"operation\":\"upsert\",\"request\":{\"value\":1}}]}"
        }),
        texts(transact("transaction with an etag that is a number", {
            "{\"operations\":[{\"operation\":\"upsert\",\"request\":{\"key\":\"$\",\"etag\":1}}]}"
        })),
        asked("alpha state", "GET", "/v1.0-alpha1/state/memory/k", ""),
    ]
}

/// Stores that name their keys in another way. Two stores of one file show how.
pub(in crate::differential) fn prefixes() -> Vec<Case> {
    let through = |name: &str, store: &'static str, key: &'static str| {
        let steps = steps![save(store, [item("$", "1")]), get("bare", key), get(store, "$")];
        case(format!("state/prefix {name}"), steps)
    };
    vec![
        through("of the app", "sqlite", "@app||$"),
        through("of the store's name", "named", "$"),
        through("of a word", "worded", "$"),
        through("of none", "bare", "$"),
        through("of a namespace that is not set", "spaced", "$"),
        case("state/prefix, the same key in two stores", {
            let write = |store, value: &'static str| save(store, [item("$", value)]);
            let read = |store| get(store, "$");
            steps![write("named", "1"), write("worded", "2"), read("named"), read("worded")]
        }),
        case("state/prefix in a bulk get", {
            steps![save("worded", [item("$", "1")]), bulk_get("worded", ["$", "$b"])]
        }),
    ]
}
