//! Encryption and decryption.

use anyhow::{Context, Result};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::Method;
use tonic::{Status, Streaming};
use trilby_dapr::proto::common::v1::StreamPayload;
use trilby_dapr::proto::runtime::v1::{
    DecryptRequest, DecryptRequestOptions, EncryptRequest, EncryptRequestOptions,
};

use crate::differential::case::Step;
use crate::differential::normal::shown;
use crate::differential::session::{Body, Session, failed, told};

/// Encrypts data and keeps the envelope as `envelope`.
pub(in crate::differential) struct Encrypt {
    pub(in crate::differential) component: &'static str,
    pub(in crate::differential) key: &'static str,
    pub(in crate::differential) algorithm: &'static str,
    pub(in crate::differential) cipher: &'static str,
    pub(in crate::differential) data: Bytes,
}

/// With the component `crypto` and no cipher named.
pub(in crate::differential) fn encrypt(
    key: &'static str,
    algorithm: &'static str,
    data: impl Into<Bytes>,
) -> Encrypt {
    Encrypt { component: "crypto", key, algorithm, cipher: "", data: data.into() }
}

impl Encrypt {
    pub(in crate::differential) fn component(mut self, component: &'static str) -> Self {
        self.component = component;
        self
    }

    pub(in crate::differential) fn cipher(mut self, cipher: &'static str) -> Self {
        self.cipher = cipher;
        self
    }

    fn told(session: &mut Session, envelope: Bytes) -> String {
        let head = envelope.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = format!("{} and {} bytes", shown(head), envelope.len());
        session.keep("envelope", envelope);
        line
    }
}

/// What is sent as one message.
const PIECE: usize = 100_000;

fn pieces(data: &Bytes) -> Vec<Option<StreamPayload>> {
    let pieces = data.chunks(PIECE).zip(0..);
    pieces.map(|(piece, seq)| Some(StreamPayload { data: data.slice_ref(piece), seq })).collect()
}

async fn whole<T>(
    answer: Result<tonic::Response<Streaming<T>>, Status>,
    payload: impl Fn(T) -> Option<StreamPayload>,
) -> Result<Bytes, Status> {
    let mut stream = answer?.into_inner();
    let mut all = BytesMut::new();
    while let Some(message) = stream.message().await? {
        all.extend_from_slice(&payload(message).unwrap_or_default().data);
    }
    Ok(all.freeze())
}

#[async_trait]
impl Step for Encrypt {
    async fn http(&self, session: &mut Session) -> Result<String> {
        let headers = [
            ("dapr-key-name", self.key),
            ("dapr-key-wrap-algorithm", self.algorithm),
            ("dapr-data-encryption-cipher", self.cipher),
        ];
        let headers: Vec<_> = headers.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let path = format!("/v1.0-alpha1/crypto/{}/encrypt", self.component);
        let answer = session.send(Method::PUT, &path, &headers, self.data.clone()).await?;
        if answer.status != 200 {
            return Ok(format!("encrypt: {}", told(&answer, Body::Json)));
        }
        let content_type = answer.header("content-type").unwrap_or("none").to_owned();
        Ok(format!("encrypt: 200 [{content_type}] {}", Self::told(session, answer.body)))
    }

    async fn grpc(&self, session: &mut Session) -> Result<String> {
        let options = EncryptRequestOptions {
            component_name: self.component.to_owned(),
            key_name: self.key.to_owned(),
            key_wrap_algorithm: self.algorithm.to_owned(),
            data_encryption_cipher: self.cipher.to_owned(),
            ..EncryptRequestOptions::default()
        };
        let first = EncryptRequest { options: Some(options), payload: None };
        let rest = pieces(&self.data).into_iter();
        let rest = rest.map(|payload| EncryptRequest { options: None, payload });
        let messages = tokio_stream::iter(std::iter::once(first).chain(rest).collect::<Vec<_>>());
        let answer = session.dapr().encrypt_alpha1(session.request(messages)?).await;
        Ok(match whole(answer, |message| message.payload).await {
            Ok(envelope) => format!("encrypt: OK {}", Self::told(session, envelope)),
            Err(status) => format!("encrypt: {}", failed(&status)),
        })
    }
}

/// Decrypts data, `@envelope` as a rule.
pub(in crate::differential) struct Decrypt {
    component: &'static str,
    key: &'static str,
    data: &'static str,
}

/// With the component `crypto`.
pub(in crate::differential) fn decrypt(key: &'static str, data: &'static str) -> Decrypt {
    Decrypt { component: "crypto", key, data }
}

impl Decrypt {
    pub(in crate::differential) fn component(mut self, component: &'static str) -> Self {
        self.component = component;
        self
    }
}

#[async_trait]
impl Step for Decrypt {
    async fn http(&self, session: &mut Session) -> Result<String> {
        let headers = [("dapr-key-name", self.key)];
        let headers = if self.key.is_empty() { &[][..] } else { &headers[..] };
        let path = format!("/v1.0-alpha1/crypto/{}/decrypt", self.component);
        let data = session.fill_bytes(&Bytes::from_static(self.data.as_bytes()));
        let answer = session.send(Method::PUT, &path, headers, data).await?;
        Ok(format!("decrypt: {}", told(&answer, Body::Exact)))
    }

    async fn grpc(&self, session: &mut Session) -> Result<String> {
        let options = DecryptRequestOptions {
            component_name: self.component.to_owned(),
            key_name: self.key.to_owned(),
        };
        let first = DecryptRequest { options: Some(options), payload: None };
        let data = session.fill_bytes(&Bytes::from_static(self.data.as_bytes()));
        let rest = pieces(&data).into_iter();
        let rest = rest.map(|payload| DecryptRequest { options: None, payload });
        let messages = tokio_stream::iter(std::iter::once(first).chain(rest).collect::<Vec<_>>());
        let answer = session.dapr().decrypt_alpha1(session.request(messages)?).await;
        Ok(match whole(answer, |message| message.payload).await {
            Ok(data) => format!("decrypt: OK {}", shown(&data)),
            Err(status) => format!("decrypt: {}", failed(&status)),
        })
    }
}

/// Changes one byte of the envelope, counted from its end.
pub(in crate::differential) struct Tamper(usize);

pub(in crate::differential) fn tamper(from_end: usize) -> Tamper {
    Tamper(from_end)
}

#[async_trait]
impl Step for Tamper {
    async fn http(&self, session: &mut Session) -> Result<String> {
        let mut envelope = session.fill_bytes(&Bytes::from_static(b"@envelope")).to_vec();
        let at = envelope.len().checked_sub(self.0).context("the envelope is shorter")?;
        let byte = envelope.get_mut(at).context("the envelope is shorter")?;
        // A letter of base64 stays one, so that no other fault comes first.
        *byte = if *byte == b'A' { b'B' } else { b'A' };
        session.keep("envelope", envelope.into());
        Ok("tampered".to_owned())
    }

    async fn grpc(&self, session: &mut Session) -> Result<String> {
        self.http(session).await
    }
}
