//! A conversation as a caller sends it: the JSON form of Dapr's `ConversationRequestAlpha2`.
//!
//! As in protobuf's JSON, `null` counts as absent, names may be in snake case, and what is not known
//! is left out. What no component but a language model would look at is not read.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::refusals;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    #[serde(alias = "context_id")]
    pub(super) context_id: Option<String>,
    inputs: Option<Vec<Input>>,
    #[serde(alias = "scrub_pii")]
    pub(super) scrub_pii: Option<bool>,
    tools: Option<Vec<Tool>>,
    #[serde(alias = "tool_choice")]
    tool_choice: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    messages: Option<Vec<Message>>,
    #[serde(alias = "scrub_pii")]
    scrub_pii: Option<bool>,
}

/// A message of one kind: only one of these is there.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    #[serde(alias = "of_developer")]
    of_developer: Option<Said>,
    #[serde(alias = "of_system")]
    of_system: Option<Said>,
    #[serde(alias = "of_user")]
    of_user: Option<Said>,
    #[serde(alias = "of_assistant")]
    of_assistant: Option<Said>,
    #[serde(alias = "of_tool")]
    of_tool: Option<Said>,
}

/// What one of them holds; each kind has some of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    name: Option<String>,
    content: Option<Vec<Content>>,
    #[serde(alias = "tool_calls")]
    tool_calls: Option<Vec<ToolCall>>,
    #[serde(alias = "tool_id")]
    tool_id: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Content {
    text: Option<String>,
}

/// A call that a model asked for.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ToolCall {
    pub(super) id: Option<String>,
    pub(super) function: Option<FunctionCall>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct FunctionCall {
    pub(super) name: Option<String>,
    pub(super) arguments: Option<String>,
}

/// A tool that a model may ask for.
#[derive(Debug, Deserialize)]
struct Tool {
    function: Option<Function>,
}

#[derive(Debug, Deserialize)]
struct Function {
    name: Option<String>,
    parameters: Option<Map<String, Value>>,
}

impl Request {
    /// Reads a request. The error is for the caller who wrote it. No text is an empty request.
    pub(super) fn parse(json: &[u8]) -> Result<Self, String> {
        if json.is_empty() {
            return Ok(Self::default());
        }
        let request: Self = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        if request.messages().any(|(message, _)| message.kinds().count() > 1) {
            return Err("a message must be of one kind, such as `ofUser`, only".to_owned());
        }
        Ok(request)
    }

    /// What daprd looks at before it asks a component.
    pub(super) fn check(&self, name: &str) -> trilby_dapr::Result<()> {
        if self.inputs.as_ref().is_none_or(Vec::is_empty) {
            return Err(refusals::missing_inputs(name));
        }
        for (message, _) in self.messages() {
            if message.kinds().next().is_none() {
                return Err(refusals::invalid(name, "message type cannot be nil"));
            }
            let calls = message.of_assistant.iter().filter_map(|said| said.tool_calls.as_ref());
            if calls.flatten().any(|call| call.function.is_none()) {
                return Err(refusals::invalid(name, "tool types cannot be nil"));
            }
        }
        let any_tool = self.tools.as_ref().is_some_and(|tools| !tools.is_empty());
        let found = match self.tool_choice.as_deref() {
            None | Some("" | "auto" | "none") => true,
            Some("required") => any_tool,
            Some(choice) => !any_tool || self.functions().any(|tool| tool.name() == choice),
        };
        if found {
            Ok(())
        } else {
            let why = "tool choice must be 'auto', 'none', 'required', or a specific tool name \
                       matching the tools available to be used";
            Err(refusals::invalid(name, why))
        }
    }

    /// The messages, and whether their input is to be scrubbed.
    fn messages(&self) -> impl Iterator<Item = (&Message, bool)> {
        self.inputs.iter().flatten().flat_map(|input| {
            let scrub = input.scrub_pii.unwrap_or_default();
            input.messages.iter().flatten().map(move |message| (message, scrub))
        })
    }

    fn functions(&self) -> impl Iterator<Item = &Function> {
        self.tools.iter().flatten().filter_map(|tool| tool.function.as_ref())
    }

    /// All that was said, in one text.
    pub(super) fn content(&self, scrub: impl Fn(String) -> String) -> String {
        let texts = self.messages().flat_map(|(message, personal)| {
            let scrub = &scrub;
            let scrub = move |text: String| if personal { scrub(text) } else { text };
            let said = message.kinds().next();
            let is_tool = message.of_tool.is_some();
            said.into_iter().flat_map(move |said| {
                said.content.iter().flatten().map(move |content| {
                    let text = scrub(content.text.clone().unwrap_or_default());
                    if is_tool { said.tool_response(&text) } else { text }
                })
            })
        });
        texts.collect::<Vec<String>>().join("\n")
    }

    /// A call of each tool, and then those that the messages had. The error is daprd's text.
    pub(super) fn tool_calls(&self) -> Result<Vec<ToolCall>, String> {
        let tools = self.functions().enumerate().map(|(id, function)| {
            let call = FunctionCall {
                name: function.name.clone(),
                arguments: Some(function.arguments()?),
            };
            Ok(ToolCall { id: Some(id.to_string()), function: Some(call) })
        });
        let mut calls = tools.collect::<Result<Vec<ToolCall>, String>>()?;
        let said = self.messages().filter_map(|(message, _)| message.of_assistant.as_ref());
        calls.extend(said.filter_map(|said| said.tool_calls.as_ref()).flatten().cloned());
        Ok(calls)
    }
}

impl Message {
    fn kinds(&self) -> impl Iterator<Item = &Said> {
        let kinds =
            [&self.of_developer, &self.of_system, &self.of_user, &self.of_assistant, &self.of_tool];
        kinds.into_iter().flatten()
    }
}

impl Said {
    fn tool_response(&self, text: &str) -> String {
        let id = self.tool_id.as_deref().unwrap_or_default();
        let name = self.name.as_deref().unwrap_or_default();
        format!("Tool Response for tool ID '{id}' with name '{name}': {text}")
    }
}

impl Function {
    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    /// The names of its parameters.
    fn arguments(&self) -> Result<String, String> {
        let Some(properties) = self.parameters.as_ref().and_then(|all| all.get("properties"))
        else {
            return Ok(String::new());
        };
        let found = match properties {
            Value::Object(properties) => {
                let mut names: Vec<&str> = properties.keys().map(String::as_str).collect();
                names.sort_unstable();
                return Ok(names.join(","));
            }
            Value::Null => "<nil>",
            Value::Bool(_) => "bool",
            Value::Number(_) => "float64",
            Value::String(_) => "string",
            Value::Array(_) => "[]interface {}",
        };
        Err(format!("tool function properties must be a map[string]any, got {found}"))
    }
}
