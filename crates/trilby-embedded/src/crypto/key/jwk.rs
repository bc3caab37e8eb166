//! Keys as JSON, RFC 7517, of the type `oct`, RFC 7518, section 6.4.

use base64::Engine as _;
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::{Key, Problem, STANDARD, SecretBytes, URL_SAFE};

/// What a JWK may say that its key can do.
const OPERATIONS: [&str; 8] =
    ["sign", "verify", "encrypt", "decrypt", "wrapKey", "unwrapKey", "deriveKey", "deriveBits"];

/// What a key is for. Whatever is empty allows everything.
#[derive(Debug, Default)]
pub(super) struct Uses {
    algorithm: String,
    usage: String,
    operations: Vec<String>,
}

impl Uses {
    /// Whether the key may wrap or unwrap keys, `wrapKey` or `unwrapKey`, with an algorithm.
    pub(super) fn allow(
        &self,
        operation: &'static str,
        algorithm: &'static str,
    ) -> Result<(), Problem> {
        let listed = self.operations.is_empty() || self.operations.iter().any(|o| o == operation);
        if !listed || !matches!(self.usage.as_str(), "" | "enc") {
            return Err(Problem::Operation(operation));
        }
        if !self.algorithm.is_empty() && self.algorithm != algorithm {
            return Err(Problem::Algorithm(algorithm));
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    k: Option<String>,
    #[serde(default)]
    alg: String,
    #[serde(default, rename = "use")]
    usage: String,
    key_ops: Option<Value>,
}

pub(super) fn parse(content: &[u8]) -> Result<Key, Problem> {
    // The parser's own text may show a part of the key.
    let jwk: Jwk = serde_json::from_slice(content).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        invalid(format!("it is not a JSON Web Key, see line {line}, column {column}"))
    })?;
    let octets = jwk.k.map(Zeroizing::new);
    match jwk.kty.as_str() {
        "oct" => {}
        "RSA" | "EC" | "OKP" => return Err(Problem::Asymmetric),
        _ => return Err(invalid("the member `kty` is none of `oct`, `RSA`, `EC`, `OKP`")),
    }
    let octets = octets.ok_or_else(|| invalid("the member `k` is missing"))?;
    let bytes = decode(&octets).ok_or_else(|| invalid("the member `k` is not base64url"))?;
    let operations = operations(jwk.key_ops.unwrap_or(Value::Null))
        .ok_or_else(|| invalid(format!("`key_ops` is not a list of {}", OPERATIONS.join(", "))))?;
    let uses = Uses { algorithm: jwk.alg, usage: jwk.usage, operations };
    Ok(Key { bytes, uses })
}

/// base64url as the RFC says, or, like daprd, any other kind of base64.
fn decode(text: &str) -> Option<SecretBytes> {
    let engine = if text.contains(['+', '/']) { &STANDARD } else { &URL_SAFE };
    engine.decode(text.trim_end_matches('=')).ok().map(Zeroizing::new)
}

/// One operation or a list.
fn operations(value: Value) -> Option<Vec<String>> {
    let operations = match value {
        Value::Null => Vec::new(),
        Value::String(operation) => vec![operation],
        other => serde_json::from_value(other).ok()?,
    };
    operations.iter().all(|o| OPERATIONS.contains(&o.as_str())).then_some(operations)
}

fn invalid(why: impl Into<String>) -> Problem {
    Problem::Parse(why.into())
}
