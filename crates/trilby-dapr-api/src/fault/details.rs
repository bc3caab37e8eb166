//! The details of an error (`google/rpc/error_details.proto`), once as protobuf and once as JSON.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::{Value, json};
use tonic_types::ErrorDetails;
use trilby_dapr::{Code, Error};

use super::table::{Known, Meta, Rich};
use super::{About, Block, Teller};

/// The domain of daprd's reasons.
const DOMAIN: &str = "dapr.io";

/// The domain of reasons that daprd does not have.
const OWN_DOMAIN: &str = "trilby";

const ILLEGAL_KEY: &str = "DAPR_STATE_ILLEGAL_KEY";

const TYPES: &str = "type.googleapis.com/google.rpc.";

/// Where daprd sends those whose store has no transactions.
const STORES: (&str, &str) = (
    "https://docs.dapr.io/reference/components-reference/supported-state-stores/",
    "Check the list of state stores and the features they support",
);

/// The details of one error.
pub(super) struct Details {
    reason: String,
    domain: &'static str,
    metadata: HashMap<String, String>,
    resource: Option<Resource>,
    /// A field that is wrong, and why.
    violation: Option<(String, String)>,
    help: bool,
}

struct Resource {
    kind: &'static str,
    name: String,
    description: String,
}

impl Details {
    /// The details of an error, if daprd gives any.
    pub(super) fn of(
        teller: Teller<'_>,
        known: &Known,
        error: &Error,
        about: &About,
    ) -> Option<Self> {
        let Rich::Info(meta, is_resource) = known.rich else { return None };
        let reason = error.reason.as_ref();
        let is_pubsub = about.block == Block::Pubsub;
        let resource = is_resource.then(|| Resource {
            kind: if is_pubsub { "pubsub" } else { "state" },
            name: about.component.clone(),
            description: if is_pubsub { error.message.clone() } else { String::new() },
        });
        let violation =
            (reason == ILLEGAL_KEY).then(|| (about.name.clone(), error.message.clone()));
        Some(Self {
            reason: reason.to_owned(),
            domain: if reason.starts_with("DAPR_") { DOMAIN } else { OWN_DOMAIN },
            metadata: metadata(teller, meta, error, about),
            resource,
            violation,
            help: reason == "DAPR_STATE_TRANSACTIONS_NOT_SUPPORTED",
        })
    }

    pub(super) fn into_grpc(self) -> ErrorDetails {
        // Of a store that is not there, daprd tells the app's id over HTTP only.
        let metadata = match self.reason.as_str() {
            "DAPR_STATE_NOT_FOUND" | "DAPR_STATE_NOT_CONFIGURED" => HashMap::new(),
            _ => self.metadata,
        };
        let mut details = ErrorDetails::with_error_info(self.reason, self.domain, metadata);
        if let Some(Resource { kind, name, description }) = self.resource {
            details.set_resource_info(kind, name, "", description);
        }
        if let Some((field, why)) = self.violation {
            details.add_bad_request_violation(field, why);
        }
        if self.help {
            details.add_help_link(STORES.1, STORES.0);
        }
        details
    }

    /// In daprd's order: what is wrong, what helps, which resource, and the reason.
    pub(super) fn into_json(self) -> Vec<Value> {
        let mut all = Vec::new();
        if let Some((field, why)) = self.violation {
            // daprd leaves out a field without a name.
            let violation = match field.is_empty() {
                true => json!({ "description": wrapped(&why) }),
                false => json!({ "field": field, "description": wrapped(&why) }),
            };
            all.push(json!({
                "@type": format!("{TYPES}BadRequest"),
                "field_violations": [violation],
            }));
        }
        if self.help {
            all.push(json!({
                "@type": format!("{TYPES}Help"),
                "links": [{ "description": STORES.1, "url": STORES.0 }],
            }));
        }
        if let Some(Resource { kind, name, description }) = self.resource {
            all.push(json!({
                "@type": format!("{TYPES}ResourceInfo"),
                "resource_type": kind,
                "resource_name": name,
                "owner": "",
                "description": description,
            }));
        }
        // The request's metadata are an object even if there are none.
        let is_object = !self.metadata.is_empty() || self.reason == "DAPR_PUBSUB_NOT_FOUND";
        let metadata = is_object.then_some(self.metadata);
        all.push(json!({
            "@type": format!("{TYPES}ErrorInfo"),
            "reason": self.reason,
            "domain": self.domain,
            "metadata": metadata,
        }));
        all
    }
}

/// Details over gRPC of an error that has none over HTTP: its reason alone, where daprd tells it.
/// What it has no code for has none either.
pub(super) fn reason_only(known: &Known, error: &Error, block: Block) -> Option<ErrorDetails> {
    let tells = matches!(block, Block::State | Block::Bindings | Block::Configuration);
    let reason = known.error_code.as_ref();
    (tells && reason.starts_with("ERR_") && error.code != Code::Unknown)
        .then(|| ErrorDetails::with_error_info(reason, DOMAIN, HashMap::new()))
}

/// The text of an error over HTTP.
pub(super) fn http_text(error: &Error) -> Cow<'_, str> {
    match error.reason.as_ref() {
        ILLEGAL_KEY => wrapped(&error.message).into(),
        _ => error.message.as_str().into(),
    }
}

/// daprd tells an illegal key over HTTP in the words of its gRPC API.
fn wrapped(text: &str) -> String {
    format!("api error: code = InvalidArgument desc = {text}")
}

fn metadata(
    teller: Teller<'_>,
    meta: Meta,
    error: &Error,
    about: &About,
) -> HashMap<String, String> {
    let app = || ("appID".to_owned(), teller.app_id.to_owned());
    let topic = || ("topic".to_owned(), about.name.clone());
    let cause = || ("error".to_owned(), cause(error));
    match meta {
        Meta::Empty => HashMap::new(),
        Meta::App => HashMap::from([app()]),
        Meta::AppAndNamespace => {
            HashMap::from([app(), ("namespace".to_owned(), teller.namespace.to_owned())])
        }
        Meta::AppAndCause => HashMap::from([app(), cause()]),
        Meta::TopicAndCause => HashMap::from([topic(), cause()]),
        Meta::Request => about.metadata.clone().into_iter().collect(),
    }
}

/// The cause within a text: what comes after the place where daprd puts it.
fn cause(error: &Error) -> String {
    let mark = match error.reason.as_ref() {
        "DAPR_PUBSUB_PUBLISH_MESSAGE" | "DAPR_PUBSUB_MARSHAL_ENVELOPE" => ": ",
        "DAPR_PUBSUB_MARSHAL_EVENTS" => ". error: ",
        _ => "",
    };
    let text = error.message.as_str();
    let rest = if mark.is_empty() { None } else { text.split_once(mark) };
    rest.map_or(text, |(_, cause)| cause).to_owned()
}
