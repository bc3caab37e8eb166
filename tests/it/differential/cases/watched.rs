//! Configuration and locks. daprd has both in Redis only, the embedded runtime in memory, too.

use crate::differential::case::{Case, case, steps};
use crate::differential::steps::{configuration, lock, rpc, send, unlock, unwatch, watch};

/// Reading configuration, and streams of its changes.
pub(in crate::differential) fn values(is_in_memory: bool) -> Vec<Case> {
    const C: &str = "configuration";
    vec![
        case("configuration/one", steps![configuration(C, ["one"])]),
        case("configuration/two", steps![configuration(C, ["one", "two"])]),
        case("configuration/with a version", steps![configuration(C, ["two"])]),
        case("configuration/empty", steps![configuration(C, ["empty"])])
            .differs_if(is_in_memory, "configuration-empty"),
        case("configuration/missing", steps![configuration(C, ["none"])]),
        case("configuration/one and a missing one", steps![configuration(C, ["one", "none"])]),
        case("configuration/one twice", steps![configuration(C, ["one", "one"])]),
        case("configuration/all", steps![configuration(C, [])])
            .differs_if(is_in_memory, "configuration-empty"),
        case("configuration/unknown store", steps![configuration("none", ["one"])]),
        case("configuration/component of another kind", steps![configuration("memory", ["one"])]),
        case("configuration/watch", steps![watch(C, ["one"]), unwatch(C, None)]),
        case("configuration/watch a missing one", steps![watch(C, ["none"]), unwatch(C, None)]),
        case("configuration/watch an unknown store", steps![watch("none", ["one"])]),
        case("configuration/unwatch an unknown id", steps![unwatch(C, Some("no-such-id"))]),
        case("configuration/unwatch an unknown store", steps![unwatch("none", Some("a"))]),
        case("configuration/unwatch twice", {
            steps![watch(C, ["one"]), unwatch(C, None), unwatch(C, None)]
        }),
        case("configuration/rpc without a store", {
            steps![rpc("/dapr.proto.runtime.v1.Dapr/GetConfiguration", b"")]
        })
        .grpc_only(),
        case("configuration/HTTP, alpha", {
            steps![send("GET", "/v1.0-alpha1/configuration/configuration?key=one", "")]
        })
        .http_only(),
        case("configuration/HTTP, subscribe", {
            steps![send("GET", "/v1.0/configuration/configuration/subscribe?key=one", "")]
        })
        .http_only(),
        case("configuration/HTTP, subscribe to an unknown store", {
            steps![send("GET", "/v1.0/configuration/none/subscribe?key=one", "")]
        })
        .http_only(),
        case("configuration/HTTP by POST", {
            steps![send("POST", "/v1.0/configuration/configuration", "")]
        })
        .http_only(),
    ]
}

/// Locks.
pub(in crate::differential) fn locks() -> Vec<Case> {
    const L: &str = "lock";
    let asked = |name: &str, path, body: &'static str| {
        case(format!("lock/HTTP {name}"), steps![send("POST", path, body)]).http_only()
    };
    vec![
        case("lock/taken", steps![lock(L, "$", "me", 60), unlock(L, "$", "me")]),
        case("lock/taken twice", steps![lock(L, "$", "me", 60), lock(L, "$", "me", 60)]),
        case("lock/taken by another", steps![lock(L, "$", "me", 60), lock(L, "$", "you", 60)]),
        case("lock/taken again", {
            let first = steps![lock(L, "$", "me", 60), unlock(L, "$", "me")];
            first.into_iter().chain(steps![lock(L, "$", "you", 60)]).collect()
        }),
        case("lock/given back by another", {
            steps![lock(L, "$", "me", 60), unlock(L, "$", "you"), lock(L, "$", "you", 60)]
        }),
        case("lock/given back twice", {
            steps![lock(L, "$", "me", 60), unlock(L, "$", "me"), unlock(L, "$", "me")]
        }),
        case("lock/never taken", steps![unlock(L, "$", "me")]),
        case("lock/no resource", steps![lock(L, "", "me", 60)]),
        case("lock/no owner", steps![lock(L, "$", "", 60)]),
        case("lock/for no time", steps![lock(L, "$", "me", 0)]),
        case("lock/for a negative time", steps![lock(L, "$", "me", -1)]),
        case("lock/resource with bars", steps![lock(L, "$||a", "me", 60)]),
        case("lock/resource with spaces", steps![lock(L, "$ a", "me", 60), unlock(L, "$ a", "me")]),
        case("lock/unknown store", steps![lock("none", "$", "me", 60)]),
        case("lock/component of another kind", steps![lock("memory", "$", "me", 60)]),
        case("unlock/no resource", steps![unlock(L, "", "me")]),
        case("unlock/no owner", steps![unlock(L, "$", "")]),
        case("unlock/resource with bars", steps![unlock(L, "$||a", "me")]),
        case("unlock/unknown store", steps![unlock("none", "$", "me")]),
        case("lock/rpc without a store", {
            steps![rpc("/dapr.proto.runtime.v1.Dapr/TryLockAlpha1", b"")]
        })
        .grpc_only(),
        asked("of broken JSON", "/v1.0-alpha1/lock/lock", "{").differs("json-texts"),
        asked("of nothing", "/v1.0-alpha1/lock/lock", ""),
        asked("of an empty object", "/v1.0-alpha1/lock/lock", "{}"),
        asked("with a time that is a text", "/v1.0-alpha1/lock/lock", {
            "{\"resourceId\":\"$\",\"lockOwner\":\"me\",\"expiryInSeconds\":\"60\"}"
        }),
        asked("with an unknown member", "/v1.0-alpha1/lock/lock", {
            "{\"resourceId\":\"$\",\"lockOwner\":\"me\",\"expiryInSeconds\":60,\"odd\":1}"
        }),
        asked("of a stable version", "/v1.0/lock/lock", "{}"),
        asked("unlock of broken JSON", "/v1.0-alpha1/unlock/lock", "{").differs("json-texts"),
    ]
}
