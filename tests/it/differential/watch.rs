//! A stream of configuration changes, held open by a case.

use anyhow::{Context, Result};
use tokio::time::timeout;
use tonic::Streaming;
use trilby_dapr::proto::runtime::v1::{
    SubscribeConfigurationRequest, SubscribeConfigurationResponse,
};

use super::session::{PATIENCE, Session, failed};

/// The stream and the id that its first message had.
pub(super) struct Watch {
    pub(super) id: String,
    /// Open as long as this.
    _changes: Streaming<SubscribeConfigurationResponse>,
}

impl Watch {
    /// Opens the stream and takes its first message; else the refusal.
    pub(super) async fn open(
        session: &Session,
        request: SubscribeConfigurationRequest,
    ) -> Result<Result<(Self, SubscribeConfigurationResponse), String>> {
        let mut request = session.request(request)?;
        request.metadata_mut().remove("grpc-timeout");
        let mut dapr = session.dapr();
        let answer = dapr.subscribe_configuration(request);
        let mut changes = match timeout(PATIENCE, answer).await.context("no answer in time")? {
            Ok(response) => response.into_inner(),
            Err(status) => return Ok(Err(failed(&status))),
        };
        match timeout(PATIENCE, changes.message()).await.context("no message in time")? {
            Ok(Some(first)) => Ok(Ok((Self { id: first.id.clone(), _changes: changes }, first))),
            Ok(None) => Ok(Err("the stream ended".to_owned())),
            Err(status) => Ok(Err(failed(&status))),
        }
    }
}
