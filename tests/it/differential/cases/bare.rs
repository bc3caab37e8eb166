//! A runtime without any component.

use crate::differential::case::{Case, Protocol, case, steps};
use crate::differential::steps::{
    bind, bulk_get, configuration, converse, delete, encrypt, get, get_job, item, job, lock,
    metadata, publish, query, save, schedule, secret, secrets, subscribe, transact, unlock, upsert,
};

/// What each building block answers where it has nothing.
pub(in crate::differential) fn all() -> Vec<Case> {
    vec![
        case("bare/get", steps![get("s", "k")]),
        case("bare/save", steps![save("s", [item("k", "1")])]),
        case("bare/delete", steps![delete("s", item("k", ""))]),
        case("bare/bulk get", steps![bulk_get("s", ["k"])]),
        case("bare/transaction", steps![transact("s", [upsert(item("k", "1"))])]),
        case("bare/query", steps![query("s", "{}")]).differs_over(Protocol::Http, "query-metadata"),
        case("bare/publish", steps![publish("p", "t", "1")]),
        case("bare/subscribe", steps![subscribe("p", "t")]),
        case("bare/binding", steps![bind("b", "create", "1")]),
        case("bare/secret", steps![secret("s", "k")]),
        case("bare/secrets", steps![secrets("s")]),
        case("bare/configuration", steps![configuration("c", ["k"])]),
        case("bare/lock", steps![lock("l", "r", "o", 10)]),
        case("bare/unlock", steps![unlock("l", "r", "o")]),
        case("bare/encrypt", steps![encrypt("k", "A256KW", "t").component("c")]),
        case("bare/converse", steps![converse("c", ["t"])]),
        case("bare/components", steps![metadata("components")]),
        case("bare/job", steps![schedule(job("$-j").schedule("@every 1h")), get_job("$-j")])
            .differs("jobs-without-scheduler"),
    ]
}
