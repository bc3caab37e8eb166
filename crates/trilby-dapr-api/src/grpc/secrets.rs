//! Secrets over gRPC.

use tonic::{Request, Status};
use trilby_dapr::proto::runtime::v1 as runtime;
use trilby_dapr::secret::{GetSecret, GetSecrets, Secret};

use super::opened;
use crate::api::Shared;
use crate::fault::{About, Block};

pub(super) async fn get(
    shared: &Shared,
    request: Request<runtime::GetSecretRequest>,
) -> Result<runtime::GetSecretResponse, Status> {
    let (cx, message) = opened(request);
    let about = About::new(Block::Secrets, &message.store_name).named(&message.key);
    let request = GetSecret {
        store: message.store_name,
        key: message.key,
        metadata: message.metadata.into_iter().collect(),
    };
    let secret = shared.backend.blocks.get_secret(&cx, request).await;
    let secret = secret.map_err(|error| shared.teller().status(&error, &about))?;
    Ok(runtime::GetSecretResponse { data: secret.values.into_iter().collect() })
}

pub(super) async fn get_all(
    shared: &Shared,
    request: Request<runtime::GetBulkSecretRequest>,
) -> Result<runtime::GetBulkSecretResponse, Status> {
    let (cx, message) = opened(request);
    let about = About::new(Block::Secrets, &message.store_name);
    let metadata = message.metadata.into_iter().collect();
    let request = GetSecrets { store: message.store_name, metadata };
    let secrets = shared.backend.blocks.get_secrets(&cx, request).await;
    let secrets = secrets.map_err(|error| shared.teller().status(&error, &about))?;
    let named = |(name, secret): (String, Secret)| {
        (name, runtime::SecretResponse { secrets: secret.values.into_iter().collect() })
    };
    Ok(runtime::GetBulkSecretResponse { data: secrets.into_iter().map(named).collect() })
}
