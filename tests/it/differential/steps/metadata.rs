//! What the runtime tells of itself.

use anyhow::Result;
use async_trait::async_trait;
use http::Method;
use serde_json::Value;
use trilby_dapr::proto::runtime::v1::{
    GetMetadataRequest, GetMetadataResponse, SetMetadataRequest,
};

use super::encoded;
use crate::differential::case::Step;
use crate::differential::normal;
use crate::differential::session::{Body, Session, answered, told};

/// Reads one part of the metadata.
pub(in crate::differential) struct Metadata(&'static str);

/// `part` is a member of the JSON.
pub(in crate::differential) fn metadata(part: &'static str) -> Metadata {
    Metadata(part)
}

#[async_trait]
impl Step for Metadata {
    async fn http(&self, session: &mut Session) -> Result<String> {
        let answer = session.send(Method::GET, "/v1.0/metadata", &[], "").await?;
        let all: Value = serde_json::from_slice(&answer.body)?;
        let part = match all.get(self.0) {
            Some(part) => normal::json(part.to_string().as_bytes(), true),
            None => "absent".to_owned(),
        };
        Ok(format!("metadata {}: {} {part}", self.0, answer.status.as_u16()))
    }

    async fn grpc(&self, session: &mut Session) -> Result<String> {
        let answer = session.dapr().get_metadata(session.request(GetMetadataRequest {})?).await;
        Ok(format!("metadata {}: {}", self.0, answered(answer, |all| shown(self.0, &all))))
    }
}

fn shown(part: &str, all: &GetMetadataResponse) -> String {
    let mut lines: Vec<String> = match part {
        "id" => vec![all.id.clone()],
        "runtimeVersion" => vec![all.runtime_version.clone()],
        "components" => all
            .registered_components
            .iter()
            .map(|part| {
                let mut capabilities = part.capabilities.clone();
                capabilities.sort();
                format!("{} {} {} {capabilities:?}", part.name, part.r#type, part.version)
            })
            .collect(),
        "extended" => vec![normal::map(&all.extended_metadata)],
        "subscriptions" => {
            all.subscriptions.iter().map(|subscription| format!("{subscription:?}")).collect()
        }
        "actorRuntime" => vec![format!("{:?}", all.actor_runtime)],
        "enabledFeatures" => all.enabled_features.clone(),
        _ => vec![format!("{:?}", all.app_connection_properties)],
    };
    lines.sort();
    lines.join(" | ")
}

/// Writes extended metadata.
pub(in crate::differential) struct SetMetadata(&'static str, &'static str);

pub(in crate::differential) fn set_metadata(key: &'static str, value: &'static str) -> SetMetadata {
    SetMetadata(key, value)
}

#[async_trait]
impl Step for SetMetadata {
    async fn http(&self, session: &mut Session) -> Result<String> {
        let path = format!("/v1.0/metadata/{}", encoded(self.0));
        let answer = session.send(Method::PUT, &path, &[], self.1).await?;
        Ok(format!("set metadata: {}", told(&answer, Body::Json)))
    }

    async fn grpc(&self, session: &mut Session) -> Result<String> {
        let request = SetMetadataRequest { key: self.0.to_owned(), value: self.1.to_owned() };
        let answer = session.dapr().set_metadata(session.request(request)?).await;
        Ok(format!("set metadata: {}", answered(answer, |()| String::new())))
    }
}
