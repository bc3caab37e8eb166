//! Conversation.

use anyhow::Result;
use async_trait::async_trait;
use http::Method;
use trilby_dapr::proto::runtime::v1::conversation_message::MessageTypes;
use trilby_dapr::proto::runtime::v1::{
    ConversationInputAlpha2, ConversationMessage, ConversationMessageContent,
    ConversationMessageOfUser, ConversationRequestAlpha2,
};

use super::quoted;
use crate::differential::case::Step;
use crate::differential::session::{Body, Session, answered, told};

/// Tells the model what users say, each text as an input of its own.
pub(in crate::differential) struct Converse {
    component: &'static str,
    texts: Vec<&'static str>,
    context: Option<&'static str>,
    scrub: bool,
    scrub_input: bool,
    temperature: Option<f64>,
}

pub(in crate::differential) fn converse<const N: usize>(
    component: &'static str,
    texts: [&'static str; N],
) -> Converse {
    Converse {
        component,
        texts: texts.to_vec(),
        context: None,
        scrub: false,
        scrub_input: false,
        temperature: None,
    }
}

impl Converse {
    pub(in crate::differential) fn context(mut self, context: &'static str) -> Self {
        self.context = Some(context);
        self
    }

    /// Asks for what identifies a person to be removed from the answer.
    pub(in crate::differential) fn scrub(mut self) -> Self {
        self.scrub = true;
        self
    }

    /// Asks for it to be removed from what is sent.
    pub(in crate::differential) fn scrub_input(mut self) -> Self {
        self.scrub_input = true;
        self
    }

    pub(in crate::differential) fn temperature(mut self, temperature: f64) -> Self {
        self.temperature = Some(temperature);
        self
    }

    fn json(&self) -> String {
        let scrub = if self.scrub_input { ",\"scrubPii\":true" } else { "" };
        let inputs: Vec<_> = self
            .texts
            .iter()
            .map(|text| {
                let content = format!("{{\"content\":[{{\"text\":{}}}]}}", quoted(text));
                format!("{{\"messages\":[{{\"ofUser\":{content}}}]{scrub}}}")
            })
            .collect();
        let mut body = format!("{{\"inputs\":[{}]", inputs.join(","));
        if let Some(context) = self.context {
            body.push_str(&format!(",\"contextId\":{}", quoted(context)));
        }
        if self.scrub {
            body.push_str(",\"scrubPii\":true");
        }
        if let Some(temperature) = self.temperature {
            body.push_str(&format!(",\"temperature\":{temperature}"));
        }
        body + "}"
    }

    fn message(&self) -> ConversationRequestAlpha2 {
        let inputs = self.texts.iter().map(|&text| {
            let content = vec![ConversationMessageContent { text: text.to_owned() }];
            let user = MessageTypes::OfUser(ConversationMessageOfUser { name: None, content });
            ConversationInputAlpha2 {
                messages: vec![ConversationMessage { message_types: Some(user) }],
                scrub_pii: self.scrub_input.then_some(true),
            }
        });
        ConversationRequestAlpha2 {
            name: self.component.to_owned(),
            context_id: self.context.map(str::to_owned),
            inputs: inputs.collect(),
            scrub_pii: self.scrub.then_some(true),
            temperature: self.temperature,
            ..ConversationRequestAlpha2::default()
        }
    }
}

#[async_trait]
impl Step for Converse {
    async fn http(&self, session: &mut Session) -> Result<String> {
        let path = format!("/v1.0-alpha2/conversation/{}/converse", self.component);
        let headers = [("content-type", "application/json")];
        let answer = session.send(Method::POST, &path, &headers, self.json()).await?;
        Ok(format!("converse: {}", told(&answer, Body::AnyOrder)))
    }

    async fn grpc(&self, session: &mut Session) -> Result<String> {
        let answer = session.dapr().converse_alpha2(session.request(self.message())?).await;
        Ok(format!("converse: {}", answered(answer, |told| format!("{told:?}"))))
    }
}
