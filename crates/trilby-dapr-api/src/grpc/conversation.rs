//! Conversations over gRPC. The building block takes and gives the JSON of Dapr's HTTP API.

use prost_types::value::Kind;
use prost_types::{Struct, Value as ProtoValue};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tonic::{Request, Status};
use trilby_dapr::conversation::Converse;
use trilby_dapr::delivery::json_of;
use trilby_dapr::proto::runtime::v1 as runtime;

use super::opened;
use crate::api::Shared;
use crate::fault::{About, Block};

use runtime::conversation_message::MessageTypes;
use runtime::conversation_tool_calls::ToolTypes as CallTypes;
use runtime::conversation_tools::ToolTypes;

pub(super) async fn converse(
    shared: &Shared,
    request: Request<runtime::ConversationRequestAlpha2>,
) -> Result<runtime::ConversationResponseAlpha2, Status> {
    let (cx, mut message) = opened(request);
    let component = std::mem::take(&mut message.name);
    let about = About::new(Block::Conversation, &component);
    let request = Converse { component, request: asked(message).to_string().into() };
    let answer = shared.backend.blocks.converse(&cx, request).await;
    let answer = answer.map_err(|error| shared.teller().status(&error, &about))?;
    let answer: Answer = serde_json::from_slice(&answer)
        .map_err(|error| Status::internal(format!("the answer cannot be read: {error}")))?;
    Ok(answer.into())
}

/// A request as JSON. `parameters` and `promptCacheRetention` are for models, which the embedded
/// runtime does not have.
fn asked(message: runtime::ConversationRequestAlpha2) -> Value {
    let inputs = message.inputs.into_iter().map(|input| {
        let messages: Vec<Value> = input.messages.into_iter().map(said).collect();
        let mut json = json!({ "messages": messages });
        set(&mut json, "scrubPii", input.scrub_pii.map(Value::from));
        json
    });
    let mut json = json!({ "inputs": inputs.collect::<Vec<Value>>() });
    set(&mut json, "contextId", message.context_id.map(Value::from));
    set(&mut json, "scrubPii", message.scrub_pii.map(Value::from));
    set(&mut json, "temperature", message.temperature.map(Value::from));
    set(&mut json, "toolChoice", message.tool_choice.map(Value::from));
    set(&mut json, "responseFormat", message.response_format.map(fields));
    let tools: Vec<Value> = message.tools.into_iter().map(tool).collect();
    set(&mut json, "tools", (!tools.is_empty()).then(|| tools.into()));
    let metadata = message.metadata.into_iter().map(|(name, value)| (name, value.into()));
    let metadata: Map<String, Value> = metadata.collect();
    set(&mut json, "metadata", (!metadata.is_empty()).then(|| metadata.into()));
    json
}

fn said(message: runtime::ConversationMessage) -> Value {
    let content = |content: Vec<runtime::ConversationMessageContent>| -> Vec<Value> {
        content.into_iter().map(|content| json!({ "text": content.text })).collect()
    };
    let (kind, mut json, name) = match message.message_types {
        None => return json!({}),
        Some(MessageTypes::OfDeveloper(said)) => {
            ("ofDeveloper", json!({ "content": content(said.content) }), said.name)
        }
        Some(MessageTypes::OfSystem(said)) => {
            ("ofSystem", json!({ "content": content(said.content) }), said.name)
        }
        Some(MessageTypes::OfUser(said)) => {
            ("ofUser", json!({ "content": content(said.content) }), said.name)
        }
        Some(MessageTypes::OfAssistant(said)) => {
            let calls: Vec<Value> = said.tool_calls.into_iter().map(called).collect();
            let json = json!({ "content": content(said.content), "toolCalls": calls });
            ("ofAssistant", json, said.name)
        }
        Some(MessageTypes::OfTool(said)) => {
            let mut json = json!({ "content": content(said.content) });
            set(&mut json, "toolId", said.tool_id.map(Value::from));
            ("ofTool", json, Some(said.name))
        }
    };
    set(&mut json, "name", name.map(Value::from));
    json!({ kind: json })
}

fn called(call: runtime::ConversationToolCalls) -> Value {
    let mut json = json!({});
    set(&mut json, "id", call.id.map(Value::from));
    if let Some(CallTypes::Function(function)) = call.tool_types {
        let function = json!({ "name": function.name, "arguments": function.arguments });
        set(&mut json, "function", Some(function));
    }
    json
}

fn tool(tool: runtime::ConversationTools) -> Value {
    let Some(ToolTypes::Function(function)) = tool.tool_types else { return json!({}) };
    let mut json = json!({ "name": function.name });
    set(&mut json, "description", function.description.map(Value::from));
    set(&mut json, "parameters", function.parameters.map(fields));
    json!({ "function": json })
}

fn fields(fields: Struct) -> Value {
    json_of(&ProtoValue { kind: Some(Kind::StructValue(fields)) })
}

fn set(json: &mut Value, name: &str, value: Option<Value>) {
    if let (Value::Object(members), Some(value)) = (json, value) {
        members.insert(name.to_owned(), value);
    }
}

/// The answer's JSON. In protobuf's JSON a 64-bit number is a text.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    context_id: Option<String>,
    #[serde(default)]
    outputs: Vec<Output>,
}

#[derive(Deserialize)]
struct Output {
    #[serde(default)]
    choices: Vec<Choice>,
    model: Option<String>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Choice {
    finish_reason: String,
    index: String,
    message: Said,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Said {
    content: String,
    tool_calls: Vec<ToolCall>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ToolCall {
    id: Option<String>,
    function: Option<Function>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Function {
    name: String,
    arguments: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Usage {
    completion_tokens: String,
    prompt_tokens: String,
    total_tokens: String,
}

impl From<Answer> for runtime::ConversationResponseAlpha2 {
    fn from(answer: Answer) -> Self {
        Self {
            context_id: answer.context_id,
            outputs: answer.outputs.into_iter().map(Output::into).collect(),
        }
    }
}

impl From<Output> for runtime::ConversationResultAlpha2 {
    fn from(output: Output) -> Self {
        let usage = |usage: Usage| runtime::ConversationResultAlpha2CompletionUsage {
            completion_tokens: usage.completion_tokens.parse().unwrap_or(0),
            prompt_tokens: usage.prompt_tokens.parse().unwrap_or(0),
            total_tokens: usage.total_tokens.parse().unwrap_or(0),
            ..<_>::default()
        };
        Self {
            choices: output.choices.into_iter().map(Choice::into).collect(),
            model: output.model,
            usage: output.usage.map(usage),
        }
    }
}

impl From<Choice> for runtime::ConversationResultChoices {
    fn from(choice: Choice) -> Self {
        let call = |call: ToolCall| runtime::ConversationToolCalls {
            id: call.id,
            tool_types: call.function.map(|function| {
                CallTypes::Function(runtime::ConversationToolCallsOfFunction {
                    name: function.name,
                    arguments: function.arguments,
                })
            }),
        };
        Self {
            finish_reason: choice.finish_reason,
            index: choice.index.parse().unwrap_or(0),
            message: Some(runtime::ConversationResultMessage {
                content: choice.message.content,
                tool_calls: choice.message.tool_calls.into_iter().map(call).collect(),
            }),
        }
    }
}
