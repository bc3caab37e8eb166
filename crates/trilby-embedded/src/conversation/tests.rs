//! The echo, with answers as a real daprd gave them.

use trilby_dapr::Code;

use super::*;

fn echo() -> Echo {
    Echo::open(&Component::for_test("echo", "conversation.echo", &[], 1)).unwrap()
}

fn answer(json: &str) -> serde_json::Value {
    serde_json::from_slice(&echo().converse(json.as_bytes()).expect(json)).unwrap()
}

#[test]
fn a_conversation_is_answered_as_by_daprd() {
    for (request, expected) in [
        (
            r#"{"inputs":[{"messages":[{"ofUser":{"content":[{"text":"hi"}]}},
                {"ofSystem":{"content":[{"text":"sys"}]}}]}]}"#,
            r#"{"outputs":[{"choices":[{"finishReason":"stop","message":{"content":"hi\nsys"}}],
                "usage":{"completionTokens":"2","promptTokens":"2","totalTokens":"4"}}]}"#,
        ),
        (
            r#"{"inputs":[{"messages":[]}],"contextId":"c","unknown":1,"tools":null}"#,
            r#"{"contextId":"c","outputs":[{"choices":[{"finishReason":"stop","message":{}}],
                "usage":{}}]}"#,
        ),
        (
            r#"{"inputs":[{"messages":[{"of_user":{"content":[{"text":"x"}]}}]}],
                "tools":[{"function":{"name":"f","parameters":{"type":"object",
                "properties":{"b":{},"a":{}}}}},{"function":{"name":"g"}}],"context_id":"c"}"#,
            r#"{"contextId":"c","outputs":[{"choices":[{"finishReason":"tool_calls","message":{
                "content":"x","toolCalls":[{"id":"0","function":{"name":"f","arguments":"a,b"}},
                {"id":"1","function":{"name":"g"}}]}}],
                "usage":{"completionTokens":"1","promptTokens":"1","totalTokens":"2"}}]}"#,
        ),
        (
            r#"{"inputs":[{"messages":[{"ofTool":{"content":[{"text":"res"}]}},
                {"ofAssistant":{"toolCalls":[{"id":"9","function":{"name":"n","arguments":"{}"}}],
                "content":[{"text":"t"}]}}]}],"scrubPii":true}"#,
            r#"{"outputs":[{"choices":[{"finishReason":"tool_calls","message":{
                "content":"Tool Response for tool ID '' with name '': res\nt",
                "toolCalls":[{"id":"9","function":{"name":"n","arguments":"{}"}}]}}],
                "usage":{"completionTokens":"11","promptTokens":"11","totalTokens":"22"}}]}"#,
        ),
    ] {
        let expected: serde_json::Value = serde_json::from_str(expected).unwrap();
        assert_eq!(answer(request), expected, "{request}");
    }
}

#[test]
fn what_is_personal_is_taken_out_where_it_is_asked_for() {
    let content = |more: &str, input: &str| {
        let message = r#"{"ofUser":{"content":[{"text":"ask a@b.example"}]}}"#;
        let json = format!(r#"{{"inputs":[{{"messages":[{message}]{input}}}]{more}}}"#);
        let answer = answer(&json);
        answer["outputs"][0]["choices"][0]["message"]["content"].as_str().unwrap().to_owned()
    };
    assert_eq!(content("", ""), "ask a@b.example");
    assert_eq!(content("", r#","scrubPii":true"#), "ask <EMAIL_ADDRESS>");
    assert_eq!(content(r#","scrub_pii":true"#, ""), "ask <EMAIL_ADDRESS>");
}

#[test]
fn mistakes_have_daprds_words() {
    let user = r#"{"ofUser":{"content":[{"text":"x"}]}}"#;
    let with =
        |message: &str, more: &str| format!(r#"{{"inputs":[{{"messages":[{message}]}}]{more}}}"#);
    let conversing = "failed conversing with component echo: ";
    let malformed = "failed deserializing HTTP body: ";
    let (invalid, internal) = (Code::InvalidArgument, Code::Internal);
    let params = "ERR_CONVERSATION_INVALID_PARMS";
    for (request, code, reason, message) in [
        (
            String::new(),
            invalid,
            "ERR_CONVERSATION_MISSING_INPUTS",
            format!("{conversing}missing inputs in request"),
        ),
        (
            r#"{"inputs":[]}"#.to_owned(),
            invalid,
            "ERR_CONVERSATION_MISSING_INPUTS",
            format!("{conversing}missing inputs in request"),
        ),
        (r#"{"inputs":"#.to_owned(), invalid, "ERR_MALFORMED_REQUEST", malformed.to_owned()),
        (r#"{"inputs":3}"#.to_owned(), invalid, "ERR_MALFORMED_REQUEST", malformed.to_owned()),
        (
            with(r#"{"ofUser":{},"ofSystem":{}}"#, ""),
            invalid,
            "ERR_MALFORMED_REQUEST",
            malformed.to_owned(),
        ),
        (with("{}", ""), invalid, params, format!("{conversing}invalid params")),
        (
            with(r#"{"ofAssistant":{"toolCalls":[{"id":"1"}]}}"#, ""),
            invalid,
            params,
            format!("{conversing}invalid params"),
        ),
        (
            with(user, r#","toolChoice":"required""#),
            invalid,
            params,
            format!("{conversing}invalid params"),
        ),
        (
            with(user, r#","tools":[{"function":{"name":"f"}}],"tool_choice":"g""#),
            invalid,
            params,
            format!("{conversing}invalid params"),
        ),
        (
            with(user, r#","tools":[{"function":{"parameters":{"properties":[]}}}]"#),
            internal,
            "ERR_CONVERSATION_INVOKE",
            format!(
                "{conversing}tool function properties must be a map[string]any, got []interface {{}}"
            ),
        ),
    ] {
        let error = echo().converse(request.as_bytes()).unwrap_err();
        assert_eq!((error.code, &*error.reason), (code, reason), "{request}");
        assert!(error.message.starts_with(&message), "{request}: {error}");
    }
}
