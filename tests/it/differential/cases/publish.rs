//! Publishing, as a subscriber sees it.

use trilby_dapr::proto::runtime::v1::topic_event_response::TopicEventResponseStatus as Verdict;

use crate::differential::case::{Case, Protocol, case, steps};
use crate::differential::steps::{
    entry, events, next_of, publish, publish_many, rpc, send, subscribe,
};

const P: &str = "pubsub";
const JSON: &str = "application/json";
const CLOUD: &str = "application/cloudevents+json";

/// Events, one by one and many at once, and what is refused.
pub(in crate::differential) fn all() -> Vec<Case> {
    let mut cases = contents();
    cases.extend(metadata());
    cases.extend(envelopes());
    cases.extend(bulk());
    cases.extend(deliveries());
    cases.extend(refused());
    cases
}

/// One event that one subscriber sees.
fn seen(name: &str, data: impl Into<bytes::Bytes>, content_type: &'static str) -> Case {
    let event = publish(P, "$", data).typed(content_type);
    case(format!("publish/{name}"), steps![subscribe(P, "$"), event, events("$", 1)])
}

fn contents() -> Vec<Case> {
    vec![
        seen("JSON", "{\"a\":1}", JSON),
        seen("JSON with white space", "{ \"b\" : 1,\n\"a\" : [ ] }", JSON).differs("event-data"),
        seen("JSON with a large number", "{\"a\":12345678901234567890.123}", JSON)
            .differs("event-data"),
        seen("JSON that is a string", "\"text\"", JSON),
        seen("JSON that is null", "null", JSON).differs("event-lost"),
        seen("JSON with a charset", "{\"a\":1}", "application/json; charset=utf-8"),
        seen("JSON of another name", "{\"a\":1}", "application/vnd.x+json").differs("event-lost"),
        seen("JSON that is none", "{\"a\":", JSON),
        seen("text", "some text", "text/plain"),
        seen("text with a charset", "grüße", "text/plain; charset=utf-8"),
        seen("XML", "<a/>", "application/xml"),
        seen("bytes", vec![0, 1, 255], "application/octet-stream"),
        seen("bytes as text", vec![0, 1, 255], "text/plain"),
        seen("bytes as JSON", vec![0, 1, 255], JSON),
        seen("an unknown type", "data", "x/y").differs("event-lost"),
        seen("a type that is none", "data", "odd").differs("event-lost"),
        seen("empty text", "", "text/plain"),
        seen("empty JSON", "", JSON),
        case("publish/no content type", {
            steps![subscribe(P, "$"), publish(P, "$", "{\"a\":1}"), events("$", 1)]
        }),
        case("publish/no content type and text", {
            steps![subscribe(P, "$"), publish(P, "$", "text"), events("$", 1)]
        }),
        case("publish/nothing at all", {
            steps![subscribe(P, "$"), publish(P, "$", ""), events("$", 1)]
        }),
        case("publish/topic with a slash", {
            steps![subscribe(P, "$/a/b"), publish(P, "$/a/b", "1").typed(JSON), events("$/a/b", 1)]
        }),
        case("publish/topic with spaces", {
            steps![subscribe(P, "$ a"), publish(P, "$ a", "1").typed(JSON), events("$ a", 1)]
        }),
        case("publish/topic with unicode", {
            steps![subscribe(P, "$ü"), publish(P, "$ü", "1").typed(JSON), events("$ü", 1)]
        }),
    ]
}

fn metadata() -> Vec<Case> {
    let with = |name: &str, pairs: &[(&str, &str)]| {
        let mut event = publish(P, "$", "{\"a\":1}").typed(JSON);
        for (name, value) in pairs {
            event = event.with(name, value);
        }
        case(format!("publish/metadata {name}"), steps![subscribe(P, "$"), event, events("$", 1)])
    };
    vec![
        with("id", &[("cloudevent.id", "my-id")]),
        with("source and type", &[("cloudevent.source", "here"), ("cloudevent.type", "kind")]),
        with("subject", &[("cloudevent.subject", "about")]),
        with("in another case", &[("CloudEvent.ID", "my-id"), ("CLOUDEVENT.TYPE", "kind")]),
        with("trace id", &[("cloudevent.traceid", "t1"), ("cloudevent.tracestate", "s")]),
        with("trace parent", &[("cloudevent.traceparent", "00-1-2-00")]),
        with("empty id", &[("cloudevent.id", "")]),
        with("unknown attribute", &[("cloudevent.colour", "red")]),
        with("time", &[("cloudevent.time", "2020-01-02T03:04:05Z")]),
        with("spec version", &[("cloudevent.specversion", "0.3")]),
        with("content type", &[("cloudevent.datacontenttype", "text/plain")]),
        with("topic", &[("cloudevent.topic", "other"), ("cloudevent.pubsubname", "other")]),
        with("of our own", &[("anything", "goes")]),
        with("ttl", &[("ttlInSeconds", "100")]),
        with("ttl in another case", &[("TTLInSeconds", "100")]),
        with("raw payload no", &[("rawPayload", "false")]),
        case("publish/metadata ttl of 0", ttl_is("0")),
        case("publish/metadata ttl of -1", ttl_is("-1")),
        case("publish/metadata ttl that is no number", ttl_is("soon")),
        case("publish/metadata raw payload that is no flag", {
            let event = publish(P, "$", "{}").typed(JSON).with("rawPayload", "perhaps");
            steps![subscribe(P, "$"), event]
        }),
        case("publish/raw payload, not read as such", {
            let event = publish(P, "$", "{\"a\":1}").typed(JSON).with("rawPayload", "true");
            let last = publish(P, "$", "\"last\"").typed(JSON);
            steps![subscribe(P, "$"), event, last, events("$", 1)]
        })
        .differs("raw-attributes"),
        case("publish/raw payload, read as such", {
            let event = publish(P, "$", "{\"a\":1}").typed(JSON).with("rawPayload", "true");
            steps![subscribe(P, "$").with("rawPayload", "true"), event, events("$", 1)]
        })
        .differs_over(Protocol::Grpc, "raw-trace"),
        case("publish/raw payload of bytes", {
            let event = publish(P, "$", vec![0, 255]).with("rawPayload", "true");
            steps![subscribe(P, "$").with("rawPayload", "true"), event, events("$", 1)]
        })
        .differs_over(Protocol::Grpc, "raw-trace"),
        case("publish/an envelope, read as raw", {
            let event = publish(P, "$", "text").typed("text/plain").with("cloudevent.id", "i");
            steps![subscribe(P, "$").with("rawPayload", "true"), event]
        }),
        case("publish/raw payload that is an envelope", {
            let event = publish(P, "$", ENVELOPE).typed(CLOUD).with("rawPayload", "true");
            steps![subscribe(P, "$"), event, events("$", 1)]
        })
        .differs_over(Protocol::Grpc, "raw-trace"),
    ]
}

/// An event of this TTL, and one without that comes in any case.
fn ttl_is(ttl: &str) -> Vec<Box<dyn crate::differential::case::Step>> {
    steps![subscribe(P, "$"), publish(P, "$", "1").typed(JSON).with("ttlInSeconds", ttl),]
}

const ENVELOPE: &str = "{\"specversion\":\"1.0\",\"id\":\"e1\",\"source\":\"mine\",\
    \"type\":\"kind\",\"datacontenttype\":\"application/json\",\"data\":{\"a\":1},\
    \"colour\":\"red\",\
    \"size\":3,\"good\":true,\"time\":\"2020-01-02T03:04:05Z\",\"subject\":\"about\"}";

fn envelopes() -> Vec<Case> {
    let seen = |name: &str, data: &'static str| seen(&format!("envelope {name}"), data, CLOUD);
    vec![
        seen("whole", ENVELOPE),
        seen("without all", "{\"data\":1}").differs("event-lost"),
        seen(
            "without data",
            "{\"specversion\":\"1.0\",\"id\":\"e\",\"source\":\"s\",\"type\":\"t\"}",
        ),
        seen(
            "without an id",
            "{\"specversion\":\"1.0\",\"source\":\"s\",\"type\":\"t\",\"data\":1}",
        )
        .differs("event-lost"),
        seen("with base64", {
            "{\"specversion\":\"1.0\",\"id\":\"e\",\"source\":\"s\",\"type\":\"t\",\
             \"datacontenttype\":\"application/octet-stream\",\"data_base64\":\"AAH/\"}"
        }),
        seen("with text", {
            "{\"specversion\":\"1.0\",\"id\":\"e\",\"source\":\"s\",\"type\":\"t\",\
             \"datacontenttype\":\"text/plain\",\"data\":\"text\"}"
        }),
        seen("with a topic of its own", {
            "{\"specversion\":\"1.0\",\"id\":\"e\",\"source\":\"s\",\"type\":\"t\",\"data\":1,\
             \"topic\":\"other\",\"pubsubname\":\"other\"}"
        })
        .differs("event-lost"),
        seen("of an old version", {
            "{\"specversion\":\"0.3\",\"id\":\"e\",\"source\":\"s\",\"type\":\"t\",\"data\":1}"
        })
        .differs("event-lost"),
        seen("with nested extensions", {
            "{\"specversion\":\"1.0\",\"id\":\"e\",\"source\":\"s\",\"type\":\"t\",\"data\":1,\
             \"deep\":{\"a\":[1,2]},\"list\":[1],\"nothing\":null}"
        })
        .differs("event-lost"),
        seen("with a trace", {
            "{\"specversion\":\"1.0\",\"id\":\"e\",\"source\":\"s\",\"type\":\"t\",\"data\":1,\
             \"traceparent\":\"00-11111111111111111111111111111111-2222222222222222-01\"}"
        })
        .differs("event-lost"),
        case("publish/envelope that is no JSON", {
            steps![subscribe(P, "$"), publish(P, "$", "{\"a\":").typed(CLOUD)]
        })
        .differs("json-texts"),
        case("publish/envelope that is a list", {
            steps![subscribe(P, "$"), publish(P, "$", "[]").typed(CLOUD)]
        })
        .differs("json-texts"),
        case("publish/envelope with overrides", {
            let event = publish(P, "$", ENVELOPE).typed(CLOUD).with("cloudevent.id", "other");
            steps![subscribe(P, "$"), event.with("cloudevent.type", "changed"), events("$", 1)]
        }),
    ]
}

fn bulk() -> Vec<Case> {
    let seen = |name: &str, entries: [crate::differential::steps::Entry; 2]| {
        let steps = steps![subscribe(P, "$"), publish_many(P, "$", entries), events("$", 2)];
        case(format!("publish/bulk {name}"), steps)
    };
    vec![
        seen("JSON", [entry("1", "{\"a\":1}", JSON), entry("2", "{\"a\":2}", JSON)]),
        seen("text", [entry("1", "one", "text/plain"), entry("2", "two", "text/plain")]),
        seen("mixed", [entry("1", "{\"a\":1}", JSON), entry("2", "two", "text/plain")]),
        seen("with metadata", {
            let one = entry("1", "1", JSON).with("cloudevent.id", "first");
            [one, entry("2", "2", JSON).with("cloudevent.type", "second")]
        }),
        seen("of envelopes", [entry("1", ENVELOPE, CLOUD), entry("2", "2", JSON)]),
        case("publish/bulk metadata for all", {
            let entries = [entry("1", "1", JSON)];
            let many = publish_many(P, "$", entries).with("cloudevent.source", "all");
            steps![subscribe(P, "$"), many, events("$", 1)]
        }),
        case("publish/bulk raw", {
            let many = publish_many(P, "$", [entry("1", "{\"a\":1}", JSON)]);
            let subscribe = subscribe(P, "$").with("rawPayload", "true");
            steps![subscribe, many.with("rawPayload", "true"), events("$", 1)]
        }),
        case("publish/bulk of nothing", steps![publish_many(P, "$", [])]),
        case("publish/bulk with an id twice", {
            steps![publish_many(P, "$", [entry("1", "1", JSON), entry("1", "2", JSON)])]
        }),
        case("publish/bulk without an id", steps![publish_many(P, "$", [entry("", "1", JSON)])]),
        case("publish/bulk without a content type", {
            steps![publish_many(P, "$", [entry("1", "1", "")])]
        }),
        case("publish/bulk to an unknown component", {
            steps![publish_many("none", "$", [entry("1", "1", JSON)])]
        }),
        case("publish/bulk of bytes", {
            let entries = [entry("1", vec![0, 255], "application/octet-stream")];
            steps![subscribe(P, "$"), publish_many(P, "$", entries), events("$", 1)]
        }),
        case("publish/bulk of a JSON string as text", {
            let body = "[{\"entryId\":\"1\",\"event\":{\"a\":1},\"contentType\":\"text/plain\"}]";
            let sent = send("POST", "/v1.0/publish/bulk/pubsub/$", body);
            steps![subscribe(P, "$"), sent.any_order()]
        })
        .http_only(),
    ]
}

fn deliveries() -> Vec<Case> {
    let one = || publish(P, "$", "1").typed(JSON).with("cloudevent.id", "e");
    vec![
        case("publish/nobody listens", steps![one()]),
        case("publish/two events", {
            let two = publish(P, "$", "2").typed(JSON).with("cloudevent.id", "f");
            steps![subscribe(P, "$"), one(), two, events("$", 2)]
        }),
        case("publish/two topics", {
            let other = publish(P, "$o", "2").typed(JSON);
            let both = steps![subscribe(P, "$"), subscribe(P, "$o"), one(), other];
            both.into_iter().chain(steps![events("$o", 1), events("$", 1)]).collect()
        }),
        case("publish/dropped, with a dead letter", {
            let topic = subscribe(P, "$").dead_letter("$d");
            let topic = topic.answering(Verdict::Drop);
            steps![subscribe(P, "$d"), topic, one(), events("$", 1), events("$d", 1)]
        }),
        case("publish/to be tried again, with a dead letter", {
            let topic = subscribe(P, "$").dead_letter("$d");
            let topic = topic.answering(Verdict::Retry);
            let next = next_of(["$", "$d"]);
            steps![subscribe(P, "$d"), topic, one(), events("$", 1), next]
        })
        .differs("retries"),
        case("publish/dropped, then another", {
            let topic = subscribe(P, "$").answering(Verdict::Drop);
            let two = publish(P, "$", "2").typed(JSON);
            steps![topic, one(), events("$", 1), two, events("$", 1)]
        }),
        case("publish/subscribe to an unknown component", steps![subscribe("none", "$")]),
        case("publish/subscribe to no topic", steps![subscribe(P, "")]),
        case("publish/subscribe to no component", steps![subscribe("", "$")]),
    ]
}

fn refused() -> Vec<Case> {
    let asked = |name: &str, path, body: &'static str| {
        case(format!("publish/HTTP {name}"), steps![send("POST", path, body)]).http_only()
    };
    vec![
        case("publish/unknown component", steps![publish("none", "$", "1")]),
        case("publish/component of another kind", steps![publish("memory", "$", "1")]),
        case("publish/no topic", steps![publish(P, "", "1")]),
        case("publish/no component", steps![publish("", "$", "1")]),
        asked("without a topic", "/v1.0/publish/pubsub", "1"),
        asked("without all", "/v1.0/publish", "1"),
        asked("bulk of broken JSON", "/v1.0/publish/bulk/pubsub/$", "["),
        asked("bulk of an object", "/v1.0/publish/bulk/pubsub/$", "{}").differs("json-texts"),
        asked("bulk of nothing", "/v1.0/publish/bulk/pubsub/$", ""),
        asked(
            "bulk of an entry without an event",
            "/v1.0/publish/bulk/pubsub/$",
            "[{\"entryId\":\"1\",\"contentType\":\"text/plain\"}]",
        ),
        asked("bulk, alpha", "/v1.0-alpha1/publish/bulk/pubsub/$", {
            "[{\"entryId\":\"1\",\"event\":\"a\",\"contentType\":\"text/plain\"}]"
        }),
        asked("bulk of a missing component", "/v1.0/publish/bulk/none/$", "[]"),
        case("publish/HTTP by GET", steps![send("GET", "/v1.0/publish/pubsub/$", "")]).http_only(),
        case("publish/HTTP by PUT", steps![send("PUT", "/v1.0/publish/pubsub/$", "1")]).http_only(),
        case("publish/rpc without a component", {
            steps![rpc("/dapr.proto.runtime.v1.Dapr/PublishEvent", b"")]
        })
        .grpc_only(),
        case("publish/rpc without a topic", {
            steps![rpc("/dapr.proto.runtime.v1.Dapr/PublishEvent", b"pubsub")]
        })
        .grpc_only(),
    ]
}
