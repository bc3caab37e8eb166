//! Conversations, with `conversation.echo`, which answers with what it was told.

use anyhow::Result;
use serde_json::{Value, json};
use trilby_testkit::Backend;

use crate::blocks::probe::{App, Probe};

async fn serve(backend: Backend, grants: &str) -> Result<App> {
    let probe = Probe::granting("conversation", grants);
    probe.serve(backend, |components, _| components.with_conversation()).await
}

const ALL: &str = "conversation = [\"conversation\"]";

async fn converse(app: &App, request: &Value) -> Result<Value> {
    let component = [("component", "conversation")];
    let told = app.ask("/conversation/converse", &component, request.to_string()).await?.done();
    Ok(serde_json::from_str(&told.text())?)
}

fn user(text: &str) -> Value {
    json!({"ofUser": {"content": [{"text": text}]}})
}

/// The answer with one choice of a text, after so many words.
fn says(text: &str, words: usize) -> Value {
    json!({
        "choices": [{"finishReason": "stop", "message": {"content": text}}],
        "usage": {
            "completionTokens": words.to_string(),
            "promptTokens": words.to_string(),
            "totalTokens": (2 * words).to_string(),
        },
    })
}

both!(requests_and_answers_are_daprs_json);

async fn requests_and_answers_are_daprs_json(backend: Backend) -> Result<()> {
    let app = serve(backend, ALL).await?;
    let system = json!({"ofSystem": {"content": [{"text": "be brief"}]}});
    let request = json!({"inputs": [{"messages": [user("hi there"), system]}]});
    let answer = converse(&app, &request).await?;
    assert_eq!(answer, json!({"outputs": [says("hi there\nbe brief", 4)]}));

    let several = json!({
        "contextId": "c1",
        "inputs": [{"messages": [user("one")]}, {"messages": [user("two")]}],
    });
    let answer = converse(&app, &several).await?;
    assert_eq!(answer["contextId"], "c1");
    assert_eq!(answer["outputs"], json!([says("one\ntwo", 2)]));

    let tool = json!({
        "ofTool": {"toolId": "1", "name": "f", "content": [{"text": "res"}]},
    });
    let answer = converse(&app, &json!({"inputs": [{"messages": [tool]}]})).await?;
    let text = "Tool Response for tool ID '1' with name 'f': res";
    assert_eq!(answer["outputs"][0]["choices"][0]["message"]["content"], text);
    Ok(())
}

both!(personal_data_is_scrubbed_where_it_is_asked_for);

async fn personal_data_is_scrubbed_where_it_is_asked_for(backend: Backend) -> Result<()> {
    let app = serve(backend, ALL).await?;
    let request = |scrub: bool| json!({"inputs": [{"scrubPii": scrub, "messages": [user("write to me@example.com")]}]});
    let content = |answer: Value| answer["outputs"][0]["choices"][0]["message"]["content"].clone();
    assert_eq!(content(converse(&app, &request(false)).await?), "write to me@example.com");
    assert_eq!(content(converse(&app, &request(true)).await?), "write to <EMAIL_ADDRESS>");
    Ok(())
}

both!(tools_are_offered);

async fn tools_are_offered(backend: Backend) -> Result<()> {
    let app = serve(backend, ALL).await?;
    let parameters = json!({
        "type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"],
    });
    let request = json!({
        "inputs": [{"messages": [user("call it")]}],
        "tools": [{"function": {"name": "f", "parameters": parameters}}],
    });
    let answer = converse(&app, &request).await?;
    let choice = &answer["outputs"][0]["choices"][0];
    assert_eq!(choice["finishReason"], "tool_calls");
    let calls = json!([{"id": "0", "function": {"name": "f", "arguments": "a"}}]);
    assert_eq!(choice["message"]["toolCalls"], calls);
    Ok(())
}

both!(the_sdk_asks_a_plain_question);

async fn the_sdk_asks_a_plain_question(backend: Backend) -> Result<()> {
    let app = serve(backend, ALL).await?;
    let question = "wie heißt du? \"so\"";
    let told = app.ask("/conversation/ask", &[("component", "conversation")], question).await?;
    assert_eq!(told.done().text(), question);
    Ok(())
}

both!(errors_are_daprs);

async fn errors_are_daprs(backend: Backend) -> Result<()> {
    let app = serve(backend, ALL).await?;
    let component = [("component", "conversation")];
    let empty = app.ask("/conversation/converse", &component, "{}").await?;
    let text = "failed conversing with component conversation: missing inputs in request";
    empty.refused("INVALID_ARGUMENT", "ERR_CONVERSATION_MISSING_INPUTS", text);
    for bad in ["", "hi", "[]", r#"{"inputs": 7}"#] {
        let told = app.ask("/conversation/converse", &component, bad).await?;
        assert_eq!(told.code, "INVALID_ARGUMENT", "{bad}: {}", told.text());
    }
    let told = app.ask("/conversation/converse", &[("component", "elsewhere")], "{}").await?;
    told.not_granted("conversation = [\"elsewhere\"]");
    Ok(())
}

#[tokio::test]
async fn daprd_tells_of_a_component_that_is_not_there() -> Result<()> {
    if Backend::DaprdMemory.is_left_out() {
        return Ok(());
    }
    let app = serve(Backend::DaprdMemory, "conversation = [\"missing\"]").await?;
    let request = json!({"inputs": [{"messages": [user("hi")]}]}).to_string();
    let told = app.ask("/conversation/converse", &[("component", "missing")], request).await?;
    let text = "failed finding conversation component missing";
    told.refused("INVALID_ARGUMENT", "ERR_CONVERSATION_NOT_FOUND", text);
    Ok(())
}
