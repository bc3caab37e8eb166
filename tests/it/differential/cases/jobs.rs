//! Jobs.

use crate::differential::case::{Case, Protocol, case, steps};
use crate::differential::steps::{delete_job, get_job, job, list_jobs, rpc, schedule, send};

/// Scheduling, reading, listing and deleting.
pub(in crate::differential) fn all() -> Vec<Case> {
    let kept = |name: &str, plan| {
        case(format!("jobs/{name}"), steps![schedule(plan), get_job("$-j"), delete_job("$-j")])
    };
    let plain = || job("$-j");
    vec![
        kept("every hour", plain().schedule("@every 1h")),
        kept("every hour with data", plain().schedule("@every 1h").data("{\"a\": 1}"))
            .differs_over(Protocol::Grpc, "job-data"),
        kept("text", plain().schedule("@every 1h").data("\"text\""))
            .differs_over(Protocol::Grpc, "job-data"),
        kept("null", plain().schedule("@every 1h").data("null")).differs("job-data"),
        kept("daily", plain().schedule("@daily")),
        kept("six fields", plain().schedule("0 30 4 * * *")),
        kept("five fields", plain().schedule("30 4 * * *")),
        kept("repeats", plain().schedule("@every 1h").repeats(3)),
        kept("no repeats", plain().schedule("@every 1h").repeats(0)),
        kept("once", plain().due("1h")),
        kept("once at a time", plain().due("2126-01-02T03:04:05Z")),
        kept("once in ISO 8601", plain().due("PT1H")),
        kept("once, repeated", plain().due("1h").repeats(3)),
        kept("due and every hour", plain().due("10m").schedule("@every 1h")),
        kept("ttl", plain().schedule("@every 1h").ttl("10h")),
        kept("ttl without a schedule", plain().due("1h").ttl("10h")),
        kept("odd schedule", plain().schedule("nonsense")),
        kept("ISO 8601 as a schedule", plain().schedule("R2/PT1S")),
        kept("odd due time", plain().due("soon")),
        kept("odd ttl", plain().schedule("@every 1h").ttl("soon")),
        // Whether it is still there when it is looked for is a race.
        case("jobs/negative due time", steps![schedule(plain().due("-1h"))]),
        kept("every nothing", plain().schedule("@every 0s")),
        kept("neither", plain()),
        case("jobs/twice", {
            let plan = || job("$-j").schedule("@every 1h");
            steps![schedule(plan()), schedule(plan()), delete_job("$-j")]
        }),
        case("jobs/overwritten", {
            let plan = job("$-j").schedule("@every 1h");
            let other = job("$-j").schedule("@every 2h").overwrite();
            steps![schedule(plan), schedule(other), get_job("$-j"), delete_job("$-j")]
        }),
        case("jobs/missing", steps![get_job("$-none")]),
        case("jobs/delete missing", steps![delete_job("$-none")]),
        case("jobs/no name", steps![schedule(job("").schedule("@every 1h"))]).grpc_only(),
        case("jobs/get no name", steps![get_job("")]).grpc_only(),
        case("jobs/delete no name", steps![delete_job("")]).grpc_only(),
        case("jobs/no job", steps![rpc("/dapr.proto.runtime.v1.Dapr/ScheduleJob", b"")])
            .grpc_only(),
        case("jobs/name with bars", {
            steps![schedule(job("$-a||b").schedule("@every 1h")), get_job("$-a||b")]
        }),
        case("jobs/name with a slash", steps![schedule(job("$-a/b").schedule("@every 1h"))]),
        case("jobs/name with spaces", {
            steps![schedule(job("$-a b").schedule("@every 1h")), get_job("$-a b")]
        }),
        case("jobs/name with unicode", {
            steps![schedule(job("$-ü").schedule("@every 1h")), get_job("$-ü")]
        }),
        case("jobs/list", {
            let (b, a) = (job("$-b").schedule("@every 1h"), job("$-a").due("1h").data("{\"a\":1}"));
            steps![schedule(b), schedule(a), list_jobs(), delete_job("$-a"), list_jobs()]
        })
        .differs("job-data")
        .grpc_only(),
    ]
    .into_iter()
    .chain(requests())
    .collect()
}

fn requests() -> Vec<Case> {
    let asked = |name: &str, body: &'static str| {
        let steps = steps![
            send("POST", "/v1.0-alpha1/jobs/$-j", body),
            send("DELETE", "/v1.0-alpha1/jobs/$-j", "")
        ];
        case(format!("jobs/HTTP {name}"), steps).http_only()
    };
    vec![
        asked("of broken JSON", "{\"schedule\":").differs("json-texts"),
        asked("of nothing", ""),
        asked("of an empty object", "{}"),
        asked("with an unknown member", "{\"schedule\":\"@every 1h\",\"odd\":1}"),
        asked("with a schedule that is a number", "{\"schedule\":1}").differs("json-texts"),
        asked("with a failure policy", {
            "{\"schedule\":\"@every 1h\",\"failurePolicy\":{\"drop\":{}}}"
        }),
        case("jobs/HTTP, stable", {
            let body = "{\"schedule\":\"@every 1h\",\"data\":{\"a\":1}}";
            let path = "/v1.0/jobs/$-s";
            steps![send("POST", path, body), send("GET", path, ""), send("DELETE", path, "")]
        })
        .http_only(),
        case("jobs/HTTP, list", steps![send("GET", "/v1.0-alpha1/jobs", "")]).http_only(),
        case("jobs/HTTP by PUT", steps![send("PUT", "/v1.0-alpha1/jobs/$", "{}")]).http_only(),
    ]
}
