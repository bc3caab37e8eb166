//! What is called and answers at once.

use std::collections::HashMap;

use anyhow::{Context, Result};
use dapr::client::{
    ConversationInputAlpha2, ConversationRequestAlpha2, DecryptRequestOptions,
    EncryptRequestOptions, InvokeServiceRequest, ReaderStream,
};
use dapr::dapr::proto::common::v1::http_extension::Verb;
use dapr::dapr::proto::common::v1::{HttpExtension, InvokeRequest};
use dapr::dapr::proto::runtime::v1::conversation_message::MessageTypes;
use dapr::dapr::proto::runtime::v1::{
    ConversationMessage, ConversationMessageContent, ConversationMessageOfUser,
};
use prost_types::Any;

use crate::{Client, fails, generated, same, variable};

pub(crate) async fn binding(client: &mut Client) -> Result<()> {
    let name = || Some(HashMap::from([("fileName".to_owned(), "note.txt".to_owned())]));
    client.invoke_binding("files", b"in a file".to_vec(), "create", name()).await?;
    let read = client.invoke_binding("files", Vec::new(), "get", name()).await?;
    same(&*read.data, b"in a file")?;
    client.invoke_binding("files", Vec::new(), "delete", name()).await?;
    fails(client.invoke_binding("files", Vec::new(), "get", name()).await, "Internal")
}

pub(crate) async fn secret(client: &mut Client) -> Result<()> {
    let pair = |key: &str, value: &str| HashMap::from([(key.to_owned(), value.to_owned())]);
    let known = client.get_secret("secrets", "known").await?;
    same(known.data, pair("known", "s3cr3t"))?;
    let every = client.get_bulk_secret("secrets", None).await?.data;
    let every: HashMap<_, _> =
        every.into_iter().map(|(name, secret)| (name, secret.secrets)).collect();
    let expected = [("known", "s3cr3t"), ("other", "hidden")];
    same(every, expected.map(|(key, value)| (key.to_owned(), pair(key, value))).into())?;
    fails(client.get_secret("secrets", "absent").await, "Internal")
}

/// The crate's own function names no verb, which suits only apps that are called over gRPC.
pub(crate) async fn invoke(client: &mut Client) -> Result<()> {
    let data = Any { type_url: String::new(), value: b"hello".to_vec() };
    let target = variable("TARGET_APP")?;
    fails(client.invoke_service(target.as_str(), "echo", Some(data.clone())).await, "Internal")?;
    let extension = HttpExtension { verb: Verb::Post.into(), querystring: String::new() };
    let message = InvokeRequest {
        method: "echo".to_owned(),
        data: Some(data),
        http_extension: Some(extension),
        ..Default::default()
    };
    let request = InvokeServiceRequest { id: target, message: Some(message) };
    let answer = generated().await?.invoke_service(request).await?.into_inner();
    same(&*answer.data.context("no answer")?.value, b"hello")
}

/// The crate numbers no part of what it encrypts, so it must be one part.
pub(crate) async fn crypto(client: &mut Client) -> Result<()> {
    let plain = b"plain text ".repeat(200);
    let options = EncryptRequestOptions {
        component_name: "crypto".to_owned(),
        key_name: "aes".to_owned(),
        key_wrap_algorithm: "A256KW".to_owned(),
        ..Default::default()
    };
    let sealed = client.encrypt(ReaderStream::new(plain.as_slice()), options).await?;
    let options =
        DecryptRequestOptions { component_name: "crypto".to_owned(), ..Default::default() };
    same(client.decrypt(sealed, options).await?, plain)
}

pub(crate) async fn conversation(client: &mut Client) -> Result<()> {
    let text = "are you there?".to_owned();
    let content = vec![ConversationMessageContent { text: text.clone() }];
    let user = MessageTypes::OfUser(ConversationMessageOfUser { name: None, content });
    let messages = vec![ConversationMessage { message_types: Some(user) }];
    let request = ConversationRequestAlpha2 {
        name: "conversation".to_owned(),
        inputs: vec![ConversationInputAlpha2 { messages, scrub_pii: None }],
        ..Default::default()
    };
    let answer = client.converse_alpha2(request).await?;
    let choice = answer.outputs.first().and_then(|output| output.choices.first());
    same(choice.and_then(|choice| choice.message.as_ref()).map(|m| m.content.clone()), Some(text))
}

pub(crate) async fn metadata(client: &mut Client) -> Result<()> {
    client.set_metadata("shelf", "3").await?;
    let told = client.get_metadata().await?;
    same(told.id, variable("APP_ID")?)?;
    same(told.extended_metadata.get("shelf").map(String::as_str), Some("3"))?;
    for name in ["statestore", "pubsub", "files", "secrets"] {
        let found = told.registered_components.iter().any(|component| component.name == name);
        same((name, found), (name, true))?;
    }
    Ok(())
}
