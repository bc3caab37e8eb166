//! The answer: the JSON form of Dapr's `ConversationResponseAlpha2`, in which what is empty or zero
//! is left out.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::request::{Request, ToolCall};

/// One output with one choice: what was said, and the calls.
pub(super) fn json(
    request: &Request,
    content: String,
    calls: Vec<ToolCall>,
    scrub: impl Fn(String) -> String,
) -> Bytes {
    // daprd counts before it scrubs the answer.
    let words = content.split_whitespace().count();
    let content = if request.scrub_pii.unwrap_or_default() { scrub(content) } else { content };
    let finish_reason = if calls.is_empty() { "stop" } else { "tool_calls" };
    let mut message = Map::new();
    put_text(&mut message, "content", content);
    if !calls.is_empty() {
        message.insert("toolCalls".to_owned(), calls.into_iter().map(call).collect());
    }
    let choice = json!({ "finishReason": finish_reason, "message": message });
    let mut reply = Map::new();
    put_text(&mut reply, "contextId", request.context_id.clone().unwrap_or_default());
    let output = json!({ "choices": [choice], "usage": usage(words) });
    reply.insert("outputs".to_owned(), json!([output]));
    Value::Object(reply).to_string().into()
}

fn call(call: ToolCall) -> Value {
    let mut object = Map::new();
    put_text(&mut object, "id", call.id.unwrap_or_default());
    let mut function = Map::new();
    let called = call.function.unwrap_or_default();
    put_text(&mut function, "name", called.name.unwrap_or_default());
    put_text(&mut function, "arguments", called.arguments.unwrap_or_default());
    object.insert("function".to_owned(), Value::Object(function));
    Value::Object(object)
}

/// A word counts as a token. Protobuf's JSON writes 64-bit numbers as text.
fn usage(words: usize) -> Value {
    if words == 0 {
        return json!({});
    }
    json!({
        "completionTokens": words.to_string(),
        "promptTokens": words.to_string(),
        "totalTokens": words.saturating_mul(2).to_string(),
    })
}

fn put_text(object: &mut Map<String, Value>, name: &str, text: String) {
    if !text.is_empty() {
        object.insert(name.to_owned(), Value::String(text));
    }
}
