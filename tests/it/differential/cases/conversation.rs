//! Conversation.

use crate::differential::case::{Case, case, steps};
use crate::differential::steps::{converse, send};

/// What the echo answers.
pub(in crate::differential) fn all() -> Vec<Case> {
    const C: &str = "conversation";
    let asked = |name: &str, body: &'static str| {
        let sent = send("POST", "/v1.0-alpha2/conversation/conversation/converse", body);
        case(format!("conversation/HTTP {name}"), steps![sent]).http_only()
    };
    vec![
        case("conversation/one text", steps![converse(C, ["hello there"])]),
        case("conversation/two texts", steps![converse(C, ["one", "two three"])]),
        case("conversation/empty text", steps![converse(C, [""])]),
        case("conversation/unicode", steps![converse(C, ["grüße 日本"])]),
        case("conversation/no inputs", steps![converse(C, [])]),
        case("conversation/context", steps![converse(C, ["a"]).context("c1")]),
        case("conversation/temperature", steps![converse(C, ["a"]).temperature(0.5)]),
        case("conversation/a person, not scrubbed", steps![converse(C, ["I am a@example.org"])]),
        case("conversation/a person, scrubbed", {
            steps![converse(C, ["I am a@example.org"]).scrub()]
        }),
        case("conversation/a person, scrubbed before", {
            steps![converse(C, ["I am a@example.org, +1 202 555 0123"]).scrub_input()]
        }),
        case("conversation/unknown component", steps![converse("none", ["a"])]),
        case("conversation/component of another kind", steps![converse("memory", ["a"])]),
        asked("of broken JSON", "{").differs("json-texts"),
        asked("of nothing", ""),
        asked("of an empty object", "{}"),
        asked("with an unknown member", {
            "{\"odd\":1,\
             \"inputs\":[{\"messages\":[{\"ofUser\":{\"content\":[{\"text\":\"a\"}]}}]}]}"
        }),
        asked("with a list for a text", "{\"inputs\":[{\"messages\":[]}]}"),
        asked("with a role that is none", "{\"inputs\":[{\"messages\":[{\"ofOdd\":{}}]}]}")
            .differs("go-texts"),
        asked("of a system and a user", {
            "{\"inputs\":[{\"messages\":[{\"ofSystem\":{\"content\":[{\"text\":\"s\"}]}},\
             {\"ofUser\":{\"content\":[{\"text\":\"u\"}]}}]}]}"
        }),
        asked("of an assistant and a tool", {
            "{\"inputs\":[{\"messages\":[{\"ofAssistant\":{\"content\":[{\"text\":\"s\"}]}},\
             {\"ofTool\":{\"toolId\":\"1\",\"name\":\"f\",\"content\":[{\"text\":\"r\"}]}}]}]}"
        }),
        asked("with a tool", {
            "{\"inputs\":[{\"messages\":[{\"ofUser\":{\"content\":[{\"text\":\"u\"}]}}]}],\
             \"tools\":[{\"function\":{\"name\":\"f\",\"description\":\"d\",\"parameters\":\
             {\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}},\
             \"required\":[\"a\"]}}}]}"
        }),
        case("conversation/HTTP, older", {
            let body = "{\"inputs\":[{\"content\":\"a\"}]}";
            steps![send("POST", "/v1.0-alpha1/conversation/conversation/converse", body)]
        })
        .differs("conversation-alpha1")
        .http_only(),
        case("conversation/HTTP by GET", {
            steps![send("GET", "/v1.0-alpha2/conversation/conversation/converse", "")]
        })
        .http_only(),
    ]
}
