//! State: versions, and many items at once.

use crate::differential::case::{Case, Protocol, case, steps};
use crate::differential::steps::{
    bulk_delete, bulk_get, delete, get, gone, item, query, remove, save, transact, upsert,
};

/// Versions, bulk operations, transactions and queries in a store.
pub(in crate::differential) fn many(s: &'static str) -> Vec<Case> {
    let mut cases = etags(s);
    cases.extend(writes(s));
    cases.extend(bulk(s));
    cases.extend(transactions(s));
    cases.extend(transactions_that_fail(s));
    cases.push(
        case("state/query", steps![query(s, "{\"filter\":{}}")])
            .differs_if(s == "redis", "redis-queries"),
    );
    cases.push(
        case("state/query that is no JSON", steps![query(s, "{")])
            .differs_if(s == "redis", "redis-queries"),
    );
    cases
}

fn etags(s: &'static str) -> Vec<Case> {
    let stale = || steps![save(s, [item("$", "1")]), get(s, "$").keep("e")];
    let then = |name: &str, mut more: Vec<Box<dyn crate::differential::case::Step>>| {
        let mut steps = stale();
        steps.append(&mut more);
        case(format!("state/etag {name}"), steps)
    };
    vec![
        then("current", steps![save(s, [item("$", "2").etag("@e")]), get(s, "$")]),
        then("stale", {
            let late = item("$", "3").etag("@e");
            steps![save(s, [item("$", "2")]), save(s, [late]), get(s, "$")]
        })
        .differs_if(s == "redis", "redis-texts"),
        then("used twice", {
            let (first, second) = (item("$", "2").etag("@e"), item("$", "3").etag("@e"));
            steps![save(s, [first]), save(s, [second]), get(s, "$")]
        })
        .differs_if(s == "redis", "redis-texts"),
        then("of a deleted item", {
            steps![delete(s, item("$", "")), save(s, [item("$", "2").etag("@e")]), get(s, "$")]
        })
        .differs_if(s == "redis", "redis-guards"),
        then("of another item", steps![save(s, [item("$o", "2").etag("@e")]), get(s, "$o")])
            .differs_if(s == "redis", "redis-guards"),
        then("empty", steps![save(s, [item("$", "2").etag("")]), get(s, "$")]),
        then("with last-write", {
            let late = item("$", "3").etag("@e").concurrency("last-write");
            steps![save(s, [item("$", "2")]), save(s, [late]), get(s, "$")]
        })
        .differs_if(s == "redis", "redis-guards"),
        then("and first-write", {
            steps![save(s, [item("$", "2").etag("@e").first_write()]), get(s, "$")]
        }),
        then("changes with the same value", {
            let late = item("$", "1").etag("@e");
            steps![save(s, [item("$", "1")]), save(s, [late])]
        })
        .differs_if(s == "redis", "redis-texts"),
        then("of a delete, current", steps![delete(s, item("$", "").etag("@e")), get(s, "$")]),
        then("of a delete, stale", {
            steps![save(s, [item("$", "2")]), delete(s, item("$", "").etag("@e")), get(s, "$")]
        })
        .differs_if(s == "redis", "redis-texts"),
        then("of a delete, with first-write", {
            steps![delete(s, item("$", "").etag("@e").first_write()), get(s, "$")]
        }),
        case("state/etag that nothing has", {
            steps![save(s, [item("$", "1")]), save(s, [item("$", "2").etag("77777")]), get(s, "$")]
        })
        .differs_if(s == "redis", "redis-texts"),
        case("state/etag that is no number", {
            let odd = item("$", "2").etag("not-an-etag");
            steps![save(s, [item("$", "1")]), save(s, [odd]), get(s, "$")]
        }),
        case("state/etag for a missing item", {
            steps![save(s, [item("$", "1").etag("1")]), get(s, "$")]
        })
        .differs_if(s == "redis", "redis-guards"),
        case("state/etag for the delete of a missing item", {
            steps![delete(s, item("$", "").etag("1"))]
        })
        .differs_if(s == "redis", "redis-guards"),
        case("state/empty etag for a delete", {
            steps![save(s, [item("$", "1")]), delete(s, item("$", "").etag("")), get(s, "$")]
        }),
    ]
}

fn writes(s: &'static str) -> Vec<Case> {
    vec![
        case("state/first-write of a new item", {
            steps![save(s, [item("$", "1").first_write()]), get(s, "$")]
        }),
        case("state/first-write twice", {
            let write = |value: &'static str| save(s, [item("$", value).first_write()]);
            steps![write("1"), write("2"), get(s, "$")]
        })
        .differs_if(s == "redis", "redis-guards"),
        case("state/first-write after any write", {
            steps![save(s, [item("$", "1")]), save(s, [item("$", "2").first_write()]), get(s, "$")]
        })
        .differs_if(s == "redis", "redis-guards"),
        case("state/first-write after a delete", {
            let again = item("$", "2").first_write();
            steps![save(s, [item("$", "1")]), delete(s, item("$", "")), save(s, [again])]
        }),
        case("state/last-write", {
            let last = item("$", "2").concurrency("last-write");
            steps![save(s, [item("$", "1").first_write()]), save(s, [last]), get(s, "$")]
        })
        .differs_if(s == "redis", "redis-guards"),
        case("state/delete with first-write and no etag", {
            steps![save(s, [item("$", "1")]), delete(s, item("$", "").first_write()), get(s, "$")]
        }),
        case("state/unknown concurrency", {
            steps![save(s, [item("$", "1").concurrency("bogus")]), get(s, "$")]
        })
        .http_only(),
        case("state/unknown consistency", {
            steps![save(s, [item("$", "1").consistency("bogus")]), get(s, "$")]
        })
        .http_only(),
        case("state/strong consistency", {
            let strong = item("$", "1").consistency("strong");
            steps![save(s, [strong]), get(s, "$").consistency("strong")]
        }),
        case("state/eventual consistency", {
            let eventual = item("$", "1").consistency("eventual");
            steps![save(s, [eventual]), get(s, "$").consistency("eventual")]
        }),
        case("state/read with unknown consistency", steps![get(s, "$").consistency("bogus")])
            .http_only(),
        case("state/delete with unknown concurrency", {
            steps![save(s, [item("$", "1")]), delete(s, item("$", "").concurrency("bogus"))]
        })
        .http_only(),
        case("state/many items", {
            steps![save(s, [item("$a", "1"), item("$b", "2")]), get(s, "$a"), get(s, "$b")]
        }),
        case("state/one bad etag among many", {
            let items = [item("$a", "1"), item("$b", "2").etag("77777"), item("$c", "3")];
            steps![save(s, items), get(s, "$a"), get(s, "$b"), get(s, "$c")]
        })
        .differs_if(s == "redis", "redis-guards"),
        case("state/one bad ttl among many", {
            let items = [item("$a", "1"), item("$b", "2").with("ttlInSeconds", "x")];
            steps![save(s, items), get(s, "$b")]
        }),
        case("state/one illegal key among many", {
            steps![save(s, [item("$a", "1"), item("$||b", "2")]), get(s, "$a")]
        }),
    ]
}

fn bulk(s: &'static str) -> Vec<Case> {
    let two = || save(s, [item("$a", "1"), item("$b", "\"two\"").with("ttlInSeconds", "100")]);
    vec![
        case("state/bulk get", steps![two(), bulk_get(s, ["$a", "$b"])]),
        case("state/bulk get with a missing item", steps![two(), bulk_get(s, ["$a", "$none"])]),
        case("state/bulk get of missing items", steps![bulk_get(s, ["$a", "$b"])]),
        case("state/bulk get of no items", steps![bulk_get(s, [])]),
        case("state/bulk get of an item twice", steps![two(), bulk_get(s, ["$a", "$a"])])
            .differs_if(s != "sqlite", "bulk-twice")
            .differs_if_over(s == "sqlite", Protocol::Http, "bulk-twice"),
        case("state/bulk get with parallelism", {
            steps![two(), bulk_get(s, ["$a", "$b", "$c"]).parallelism(1)]
        }),
        case("state/bulk get with negative parallelism", {
            steps![two(), bulk_get(s, ["$a", "$b"]).parallelism(-3)]
        }),
        case("state/bulk get with metadata", steps![two(), bulk_get(s, ["$a"]).with("a", "b")]),
        case("state/bulk get of an illegal key", steps![two(), bulk_get(s, ["$a", "$||b"])]),
        case("state/bulk get of an empty key", steps![two(), bulk_get(s, ["$a", ""])]),
        case("state/bulk get of an expired item", {
            let short = item("$", "1").with("ttlInSeconds", "1");
            steps![save(s, [short]), gone(s, "$"), bulk_get(s, ["$"])]
        }),
        case("state/bulk delete", {
            let both = [item("$a", ""), item("$b", "")];
            steps![two(), bulk_delete(s, both), bulk_get(s, ["$a", "$b"])]
        })
        .grpc_only(),
        case("state/bulk delete of missing items", {
            steps![bulk_delete(s, [item("$a", ""), item("$b", "")])]
        })
        .grpc_only(),
        case("state/bulk delete with one bad etag", {
            let both = [item("$a", ""), item("$b", "").etag("77777")];
            steps![two(), bulk_delete(s, both), bulk_get(s, ["$a", "$b"])]
        })
        .differs_if(s == "redis", "redis-texts")
        .grpc_only(),
        case("state/bulk delete of nothing", steps![bulk_delete(s, [])]).grpc_only(),
        case("state/bulk delete of an illegal key", {
            steps![two(), bulk_delete(s, [item("$a", ""), item("$||b", "")]), get(s, "$a")]
        })
        .grpc_only(),
    ]
}

fn transactions(s: &'static str) -> Vec<Case> {
    vec![
        case("state/transaction", {
            let operations = [upsert(item("$a", "1")), upsert(item("$b", "2"))];
            steps![transact(s, operations), get(s, "$a"), get(s, "$b")]
        }),
        case("state/transaction with a delete", {
            let operations = [upsert(item("$a", "2")), remove(item("$b", ""))];
            let before = save(s, [item("$a", "1"), item("$b", "1")]);
            steps![before, transact(s, operations), get(s, "$a"), get(s, "$b")]
        }),
        case("state/transaction in order", {
            let operations =
                [remove(item("$", "")), upsert(item("$", "1")), upsert(item("$", "2"))];
            steps![transact(s, operations), get(s, "$")]
        }),
        case("state/transaction that deletes at last", {
            let operations = [upsert(item("$", "1")), remove(item("$", ""))];
            steps![transact(s, operations), get(s, "$")]
        }),
        case("state/transaction that deletes what is missing", {
            steps![transact(s, [remove(item("$", "")), upsert(item("$b", "1"))]), get(s, "$b")]
        }),
        case("state/transaction of nothing", steps![transact(s, [])]),
        case("state/transaction with a current etag", {
            let operations = [upsert(item("$", "2").etag("@e"))];
            let before = steps![save(s, [item("$", "1")]), get(s, "$").keep("e")];
            let after = steps![transact(s, operations), get(s, "$")];
            before.into_iter().chain(after).collect()
        }),
        case("state/transaction with a ttl", {
            let timed = upsert(item("$", "1").with("ttlInSeconds", "100"));
            steps![transact(s, [timed]), get(s, "$")]
        }),
        case("state/transaction with a ttl for all", {
            let plain = upsert(item("$", "1"));
            steps![transact(s, [plain]).with("ttlInSeconds", "100"), get(s, "$")]
        }),
        case("state/transaction with metadata", {
            steps![transact(s, [upsert(item("$", "1"))]).with("a", "b"), get(s, "$")]
        }),
        case("state/transaction of strings", {
            let set = |key, value: &'static str| upsert(item(key, value));
            let (a, b) = (set("$a", "\"text\""), set("$b", "{\"a\" : 1}"));
            let (c, d) = (set("$c", "null"), set("$d", "12345678901234567890"));
            let read = bulk_get(s, ["$a", "$b", "$c", "$d"]);
            steps![transact(s, [a, b, c, d]), get(s, "$a"), get(s, "$b"), read]
        })
        .differs_over(Protocol::Http, "transaction-values"),
    ]
}

fn transactions_that_fail(s: &'static str) -> Vec<Case> {
    vec![
        case("state/transaction with a bad etag", {
            let operations = [upsert(item("$a", "1")), upsert(item("$b", "2").etag("77777"))];
            steps![transact(s, operations), get(s, "$a"), get(s, "$b")]
        })
        .differs_if(s == "redis", "redis-transactions"),
        case("state/transaction with a delete with a bad etag", {
            let operations = [upsert(item("$a", "1")), remove(item("$b", "").etag("77777"))];
            let before = save(s, [item("$b", "1")]);
            steps![before, transact(s, operations), get(s, "$a"), get(s, "$b")]
        })
        .differs_if(s == "redis", "redis-transactions"),
        case("state/transaction with a second first-write", {
            let operations = [upsert(item("$a", "1")), upsert(item("$b", "2").first_write())];
            let before = save(s, [item("$b", "1").first_write()]);
            steps![before, transact(s, operations), get(s, "$a"), get(s, "$b")]
        })
        .differs_if(s == "redis", "redis-transactions"),
        case("state/transaction with an unknown operation", {
            let operations = [upsert(item("$a", "1")), upsert(item("$b", "2")).named("odd")];
            steps![transact(s, operations), get(s, "$a")]
        }),
        case("state/transaction with a bad ttl", {
            let timed = upsert(item("$b", "1").with("ttlInSeconds", "x"));
            steps![transact(s, [upsert(item("$a", "1")), timed]), get(s, "$a")]
        }),
        case("state/transaction with an illegal key", {
            let operations = [upsert(item("$a", "1")), upsert(item("$||b", "2"))];
            steps![transact(s, operations), get(s, "$a")]
        }),
        case("state/transaction with an empty key", {
            steps![transact(s, [upsert(item("$a", "1")), upsert(item("", "2"))]), get(s, "$a")]
        }),
        case("state/transaction with not JSON in spite of metadata", {
            let odd = item("$", "{\"a\":").with("contentType", "application/json");
            steps![transact(s, [upsert(odd)]), get(s, "$")]
        })
        .differs_if_over(s == "redis", Protocol::Grpc, "redis-json")
        .differs_over(Protocol::Http, "json-texts"),
    ]
}
