//! Data within `google.protobuf.Any`, in the forms that daprd hands on unharmed.
//!
//! daprd writes `google.protobuf.Value` as JSON to an HTTP app, and gives the bytes of any type that
//! it does not know as they are (but for white space around them). Wrapper types such as `BytesValue`
//! reach an HTTP app as broken protobuf.

use crate::jobs::JobData;
use crate::{Error, Result};
use bytes::Bytes;
use prost::Message as _;
use prost_types::value::Kind;
use prost_types::{Any, ListValue, Struct, Value};
use serde_json::Value as Json;

const VALUE: &str = "type.googleapis.com/google.protobuf.Value";

/// JSON as it is. No type of protobuf's, so daprd does not look into it; a gRPC app is told it as the
/// content type.
const JSON: &str = "application/json";

/// Levels of JSON that become a `Value`. A level takes up to three of protobuf's, and prost decodes
/// 100 of them.
const VALUE_LEVELS_MAX: usize = 24;

/// A job's data on the wire.
///
/// # Errors
///
/// When data that should be JSON is not.
pub fn wrap(data: JobData) -> Result<Any> {
    let json = match data {
        JobData::Bytes(bytes) => return Ok(Any { type_url: String::new(), value: bytes.to_vec() }),
        JobData::Json(json) => json,
    };
    let parsed: Json = serde_json::from_slice(&json)
        .map_err(|error| Error::invalid(format!("the job's data is not JSON: {error}")))?;
    // A `Value` has doubles only; a larger whole number would come back as another. And one that
    // nests too deeply would not be decoded again.
    Ok(match value(&parsed, VALUE_LEVELS_MAX) {
        Some(value) => Any { type_url: VALUE.to_owned(), value: value.encode_to_vec() },
        None => Any { type_url: JSON.to_owned(), value: json.to_vec() },
    })
}

/// What came with a job, whoever scheduled it.
#[must_use]
pub fn unwrap(any: Any) -> JobData {
    if any.type_url == JSON {
        return JobData::Json(any.value.into());
    }
    if any.type_url.ends_with("/google.protobuf.Value")
        && let Ok(value) = Value::decode(any.value.as_slice())
    {
        return JobData::Json(json(&value).to_string().into());
    }
    JobData::Bytes(any.value.into())
}

/// A reminder's data: the JSON that was given. daprd keeps what comes over gRPC as a JSON string of
/// its base64, and what comes over HTTP as the JSON itself.
#[must_use]
pub fn reminder(any: Any) -> Bytes {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    let bytes = match Any::to_msg::<BytesValue>(&any) {
        Ok(wrapped) => Bytes::from(wrapped),
        Err(_) => any.value.into(),
    };
    let text = serde_json::from_slice::<String>(&bytes).ok();
    let inner = text.and_then(|text| STANDARD.decode(text).ok());
    match inner {
        Some(inner) if serde_json::from_slice::<Json>(&inner).is_ok() => inner.into(),
        _ => bytes,
    }
}

/// `google.protobuf.BytesValue`, as prost has it.
type BytesValue = Vec<u8>;

/// JSON as a `google.protobuf.Value`. None if it nests too deeply to be decoded again, or has a whole
/// number that a double cannot hold.
#[must_use]
pub fn value_of(json: &Json) -> Option<Value> {
    value(json, VALUE_LEVELS_MAX)
}

/// JSON of at most so many levels, if its numbers are doubles.
fn value(value: &Json, levels: usize) -> Option<Value> {
    let kind = match value {
        Json::Null => Kind::NullValue(0),
        Json::Bool(value) => Kind::BoolValue(*value),
        Json::String(text) => Kind::StringValue(text.clone()),
        Json::Number(number) => {
            let double = number.as_f64()?;
            let is_whole = number.is_i64() || number.is_u64();
            if is_whole && format!("{double:.0}") != number.to_string() {
                return None;
            }
            Kind::NumberValue(double)
        }
        Json::Array(values) => {
            let levels = levels.checked_sub(1)?;
            let values =
                values.iter().map(|inner| self::value(inner, levels)).collect::<Option<_>>()?;
            Kind::ListValue(ListValue { values })
        }
        Json::Object(members) => {
            let levels = levels.checked_sub(1)?;
            let field = |(name, member): (&String, &Json)| {
                Some((name.clone(), self::value(member, levels)?))
            };
            let fields = members.iter().map(field).collect::<Option<_>>()?;
            Kind::StructValue(Struct { fields })
        }
    };
    Some(Value { kind: Some(kind) })
}

fn json(value: &Value) -> Json {
    match &value.kind {
        None | Some(Kind::NullValue(_)) => Json::Null,
        Some(Kind::BoolValue(value)) => Json::Bool(*value),
        Some(Kind::StringValue(text)) => Json::String(text.clone()),
        Some(Kind::NumberValue(double)) => number(*double),
        Some(Kind::ListValue(list)) => list.values.iter().map(json).collect(),
        Some(Kind::StructValue(fields)) => {
            fields.fields.iter().map(|(name, value)| (name.clone(), json(value))).collect()
        }
    }
}

/// A whole number is written as one.
fn number(double: f64) -> Json {
    let text = format!("{double:.0}");
    let is_whole = double.fract() == 0.0;
    let whole =
        text.parse::<i64>().map(Json::from).or_else(|_| text.parse::<u64>().map(Json::from));
    match whole {
        Ok(whole) if is_whole => whole,
        _ => Json::from(double),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn data_comes_back_as_it_was_given() {
        let table = [
            (r#"{"a":[1,2.5,"x",null,true],"b":{}}"#, VALUE),
            ("9007199254740993", JSON),
            (r#"{"n": 18446744073709551615}"#, JSON),
            ("-7", VALUE),
            ("9007199254740992", VALUE),
            (r#""text""#, VALUE),
        ];
        for (json, type_url) in table {
            let data = JobData::Json(Bytes::from_static(json.as_bytes()));
            let any = wrap(data.clone()).expect("is JSON");
            assert_eq!(any.type_url, type_url, "{json}");
            assert_eq!(unwrap(any), data);
        }
        let bytes = JobData::Bytes(Bytes::from_static(b"\xff {"));
        assert_eq!(unwrap(wrap(bytes.clone()).expect("anything")), bytes);
        let error = wrap(JobData::Json(Bytes::from_static(b"{"))).expect_err("not JSON");
        assert_eq!(error.reason, "TRILBY_INVALID_ARGUMENT");
    }

    #[test]
    fn deep_data_comes_back_as_it_was_given() {
        for (open, close) in [(r#"{"a":"#, "}"), ("[", "]")] {
            for (levels, type_url) in [(24, VALUE), (25, JSON), (100, JSON)] {
                let json = format!("{}1{}", open.repeat(levels), close.repeat(levels));
                let data = JobData::Json(json.into());
                let any = wrap(data.clone()).expect("is JSON");
                assert_eq!(any.type_url, type_url, "{levels}");
                assert_eq!(unwrap(any), data, "{levels}");
            }
        }
    }

    #[test]
    fn a_reminder_gives_its_json_whoever_made_it() {
        let kept = |text: &str| Any::from_msg(&text.as_bytes().to_vec()).expect("has a name");
        let table = [
            (r#""eyJ4IjoxfQ==""#, r#"{"x":1}"#),
            (r#"{"x":1}"#, r#"{"x":1}"#),
            (r#""hello""#, r#""hello""#),
            ("", ""),
        ];
        for (text, expected) in table {
            assert_eq!(reminder(kept(text)), expected);
        }
    }

    fn any_json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i32>().prop_map(Json::from),
            (-1e9..1e9).prop_map(Json::from),
            ".{0,8}".prop_map(Json::from),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                prop::collection::btree_map(".{0,4}", inner, 0..4)
                    .prop_map(|members| Json::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn json_survives(value in any_json()) {
            let any = wrap(JobData::Json(value.to_string().into())).expect("is JSON");
            let JobData::Json(back) = unwrap(any) else { panic!("JSON became bytes") };
            let back: Json = serde_json::from_slice(&back).expect("is JSON");
            prop_assert_eq!(numbers(back), numbers(value));
        }
    }

    /// `1` and `1.0` are the same.
    fn numbers(value: Json) -> Json {
        match value {
            Json::Number(number) => Json::from(number.as_f64()),
            Json::Array(values) => values.into_iter().map(numbers).collect(),
            Json::Object(members) => {
                members.into_iter().map(|(name, value)| (name, numbers(value))).collect()
            }
            other => other,
        }
    }
}
