//! State.

use anyhow::Result;
use dapr::client::{Etag, StateOptions};
use dapr::dapr::proto::common::v1::state_options::StateConcurrency;

use crate::{Client, fails, same};

async fn value(client: &mut Client, key: &str, expected: &[u8]) -> Result<()> {
    same(&*client.get_state("statestore", key, None).await?.data, expected)
}

async fn save(
    client: &mut Client,
    key: &str,
    value: &[u8],
    etag: Option<&str>,
) -> Result<(), dapr::error::Error> {
    let etag = etag.map(|etag| Etag { value: etag.to_owned() });
    client.save_state("statestore", key, value.to_vec(), etag, None, None).await
}

pub(crate) async fn state(client: &mut Client) -> Result<()> {
    client.save_state("statestore", "order", br#"{"id":1}"#.to_vec(), None, None, None).await?;
    let order = client.get_state("statestore", "order", None).await?;
    same(&*order.data, br#"{"id":1}"#)?;
    save(client, "order", b"\0\xff", Some(&order.etag)).await?;
    value(client, "order", b"\0\xff").await?;
    client.delete_state("statestore", "order", None).await?;
    let gone = client.get_state("statestore", "order", None).await?;
    same((&*gone.data, &*gone.etag), (b"".as_slice(), ""))
}

pub(crate) async fn conflicts(client: &mut Client) -> Result<()> {
    save(client, "once", b"1", None).await?;
    let etag = client.get_state("statestore", "once", None).await?.etag;
    save(client, "once", b"2", Some(&etag)).await?;
    fails(save(client, "once", b"3", Some(&etag)).await, "Aborted")?;
    let first = StateOptions {
        concurrency: StateConcurrency::ConcurrencyFirstWrite.into(),
        consistency: 0,
    };
    let again =
        client.save_state("statestore", "once", b"4".to_vec(), None, None, Some(first)).await;
    fails(again, "Aborted")?;
    value(client, "once", b"2").await?;
    fails(client.get_state("nowhere", "k", None).await, "InvalidArgument")
}

pub(crate) async fn bulk(client: &mut Client) -> Result<()> {
    let items = ["a", "b", "c"].map(|key| (key, key.to_uppercase().into_bytes()).into());
    client.save_bulk_states("statestore", items).await?;
    value(client, "b", b"B").await?;
    client.delete_bulk_state("statestore", [("b", Vec::new()), ("missing", Vec::new())]).await?;
    value(client, "b", b"").await?;
    value(client, "c", b"C").await
}
