//! The JSON Schema of `trilby.toml`, for editors.
//!
//! The types mirror what the reader accepts, and exist for their schema only: the reader works on
//! the parsed text, to point to it. A test compares the keys of both.

#![expect(dead_code, reason = "the types are never made: only their schema is")]

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::Value;

/// The JSON Schema (draft 2020-12) of `trilby.toml`.
#[must_use]
pub fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(remove_null));
    settings.into_generator().into_root_schema_for::<Manifest>().to_value()
}

/// A key that may be left out has no null for it: TOML has none.
fn remove_null(schema: &mut Schema) {
    let types = schema.get_mut("type").and_then(Value::as_array_mut);
    if let Some(types) = types {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    let options = schema.get_mut("anyOf").and_then(Value::as_array_mut);
    let Some(options) = options else { return };
    options.retain(|option| option.get("type").is_none_or(|name| name != "null"));
    if let [Value::Object(only)] = options.as_slice() {
        let only = only.clone();
        schema.remove("anyOf");
        for (keyword, value) in only {
            // What is said of this key stands over what is said of its type.
            let object = schema.ensure_object();
            object.entry(keyword).or_insert(value);
        }
    }
}

/// Trilby's manifest: the WebAssembly modules of an application, and what starts them.
#[derive(JsonSchema)]
#[schemars(title = "trilby.toml", deny_unknown_fields, rename_all = "kebab-case")]
struct Manifest {
    /// The version of the format.
    #[schemars(extend("const" = 1))]
    version: u8,
    /// The app's name and Dapr app id. Default: the name of the manifest's folder.
    #[schemars(regex(pattern = r"^[A-Za-z0-9._-]{1,64}$"), example = &"orders")]
    name: Option<String>,
    /// What the app has of Dapr.
    dapr: Option<Dapr>,
    /// What holds for the server.
    server: Option<Server>,
    /// The limits of every request, unless its route sets its own, and of the process.
    limits: Option<AppLimits>,
    /// Environment variables for all guests. CGI variables win over these.
    env: Option<BTreeMap<String, String>>,
    /// What starts which module. The longest matching path wins, in whatever order they stand.
    #[schemars(length(min = 1))]
    route: Vec<Route>,
}

/// What the app has of Dapr.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct Dapr {
    /// The folder of Dapr's component files. Default: `components`, if it exists.
    components: Option<String>,
    /// Other apps of this machine, by their Dapr app ids, as `http://HOST:PORT`: whom `invoke` finds
    /// without a sidecar.
    apps: Option<BTreeMap<String, String>>,
}

/// What holds for the server.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct Server {
    /// The proxies whose word about the client (`Forwarded`, `X-Forwarded-*`) is taken: networks
    /// or addresses.
    #[schemars(extend("examples" = [["10.0.0.0/8", "127.0.0.1"]]))]
    trusted_proxies: Option<Vec<String>>,
}

/// A duration: numbers with the units ms, s, m and h; at most 1h.
#[derive(JsonSchema)]
#[schemars(transparent)]
struct Duration(
    #[schemars(regex(pattern = "^[ ]*[0-9]"), example = &"10s", example = &"1m 30s")] String,
);

/// A size: a number with a unit, B, KiB, MiB or GiB (of 1024), kB, MB or GB (of 1000).
#[derive(JsonSchema)]
#[schemars(transparent)]
struct Size(
    #[schemars(regex(pattern = "^[ ]*[0-9]"), example = &"64 MiB", example = &"512 KiB")] String,
);

/// The limits of a request.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct RouteLimits {
    /// Wall time from the moment a request gets its instance to the end of its answer. Default:
    /// 10s.
    deadline: Option<Duration>,
    /// Time for which the guest may compute. Default: the deadline.
    cpu: Option<Duration>,
    /// The guest's linear memory, 64 KiB to 4 GiB. Default: 64 MiB.
    memory: Option<Size>,
    /// Request line and headers, 1 KiB to 256 KiB. Default: 64 KiB.
    head_in: Option<Size>,
    /// Request body. Default: 10 MiB.
    body_in: Option<Size>,
    /// Response header block, 256 B to 1 MiB. Default: 64 KiB.
    head_out: Option<Size>,
    /// Response header block and body. Default: 64 MiB.
    body_out: Option<Size>,
    /// Standard error that reaches the log. Default: 64 KiB.
    stderr: Option<Size>,
    /// Time for one Dapr call. Default: 5s.
    dapr_timeout: Option<Duration>,
    /// Time for one outbound HTTP request. Default: 5s.
    http_timeout: Option<Duration>,
    /// Body of one outbound HTTP response. Default: 10 MiB.
    http_body: Option<Size>,
    /// Outbound HTTP responses that a guest may have open at once. Default: 8.
    #[schemars(range(min = 1, max = 1000))]
    http_calls: Option<u32>,
    /// Guests running at once: of the process, and within it of a route. Default: 256.
    #[schemars(range(min = 1, max = 100_000))]
    concurrency: Option<u32>,
    /// Requests that wait for an instance, of the process or of a route; more get 503. Default:
    /// 1024.
    #[schemars(range(min = 1, max = 1_000_000))]
    queue: Option<u32>,
}

/// The limits of a request and of the process.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct AppLimits {
    #[schemars(flatten)]
    of_route: RouteLimits,
    /// Connections open at once. Default: 10000.
    #[schemars(range(min = 1, max = 1_000_000))]
    connections: Option<u32>,
    /// How long a client may take for a request's head, and be idle before it. Default: 30s.
    head_timeout: Option<Duration>,
    /// How long a client may take no byte of its answer. Default: 30s.
    write_timeout: Option<Duration>,
}

/// A route: what starts a module, and what it is given.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend(
    "allOf" = [
        { "oneOf": [
            { "required": ["path"] }, { "required": ["topic"] }, { "required": ["binding"] },
            { "required": ["job"] }, { "required": ["configuration"] }
        ] },
        { "oneOf": [{ "required": ["module"] }, { "required": ["files"] }] }
    ],
    "dependentRequired" = {
        "methods": ["path"],
        "host": ["path"],
        "match": ["topic"],
        "dead-letter": ["topic"],
        "bulk": ["topic"],
        "raw-payload": ["topic"],
        "envelope": ["topic"],
        "files": ["path"],
        "build": ["module"],
        "sources": ["build"],
        "entrypoint": ["module"],
        "argv": ["module"],
        "env": ["module"],
        "volumes": ["module"],
        "grants": ["module"],
        "allowed-hosts": ["module"],
        "allowed-networks": ["allowed-hosts"],
        "authorization": ["module"]
    }
))]
struct Route {
    /// The path: exact, or with all that is below it when it ends in `/...`. A segment such as
    /// `:id` is a parameter: it matches any one segment.
    #[schemars(
        regex(pattern = "^/[!-~]*$"),
        example = &"/orders/...",
        example = &"/users/:id"
    )]
    path: Option<String>,
    /// The methods, in capitals. HEAD goes with GET. Default: all.
    #[schemars(length(min = 1), extend("examples" = [["GET", "POST"]]))]
    methods: Option<Vec<Method>>,
    /// The host, or `*.` and a domain for all names below it. Default: every host.
    #[schemars(example = &"api.example.com", example = &"*.example.com")]
    host: Option<String>,
    /// Instead of a path: the events of a topic, as `pubsub/topic`.
    #[schemars(regex(pattern = "^[^/]+/.+$"), example = &"pubsub/orders")]
    topic: Option<String>,
    /// Which events of the topic: a condition in CEL. The route without one gets the rest.
    #[schemars(length(min = 1, max = 8192), example = &"event.type == 'placed'")]
    r#match: Option<String>,
    /// The topic for events that could not be delivered.
    dead_letter: Option<String>,
    /// Whether several events come at once. Default: false.
    bulk: Option<Bulk>,
    /// Whether what is published has no CloudEvents envelope. Default: false.
    raw_payload: Option<bool>,
    /// Whether the guest gets the envelope instead of its data. Default: false.
    envelope: Option<bool>,
    /// Instead of a path: an input binding, by its component's name.
    #[schemars(example = &"nightly")]
    binding: Option<String>,
    /// Instead of a path: the app's jobs, by name, or by its beginning and `*`.
    #[schemars(regex(pattern = r"^[^/\\#?*]*\*?$"), example = &"report-*")]
    job: Option<String>,
    /// Instead of a path: changes of configuration, as `store`, `store/key` or `store/prefix*`.
    #[schemars(example = &"config/feature-*")]
    configuration: Option<String>,
    /// The module: a `.wasm` or `.wat` file, or one in an OCI registry.
    #[schemars(example = &"orders.wasm", example = &"oci:ghcr.io/owner/orders:1.0")]
    module: Option<String>,
    /// Instead of a module: a folder whose files are served. The path must end in `/...`.
    #[schemars(example = &"public")]
    files: Option<String>,
    /// A shell command that makes the module, run when it is missing or older than a source.
    build: Option<String>,
    /// The files and folders that the build reads. Default: the manifest's folder.
    sources: Option<Vec<String>>,
    /// The exported function that is called. Default: `_start`.
    entrypoint: Option<String>,
    /// WAGI's template of the arguments. Default: the arguments of RFC 3875.
    #[schemars(example = &"${SCRIPT_NAME} ${ARGS}")]
    argv: Option<String>,
    /// Environment variables for this route's guest, over those for all.
    env: Option<BTreeMap<String, String>>,
    /// Folders for the guest, by the path that it sees.
    volumes: Option<BTreeMap<String, Volume>>,
    /// What the guest may ask of Dapr. Default: nothing.
    grants: Option<Grants>,
    /// Where the guest may send HTTP requests. Default: nowhere.
    #[schemars(extend("examples" = [["https://api.example.com", "http://*.internal:8080"]]))]
    allowed_hosts: Option<Vec<String>>,
    /// Private networks into which the names of allowed hosts may lead.
    #[schemars(extend("examples" = [["10.0.0.0/8"]]))]
    allowed_networks: Option<Vec<String>>,
    /// Whether the guest gets the client's `Authorization` header. Default: false.
    authorization: Option<bool>,
    /// Headers that each response gets, unless the guest has set them itself.
    response_headers: Option<BTreeMap<String, String>>,
    /// The limits of this route's requests.
    limits: Option<RouteLimits>,
}

/// A method of HTTP.
#[derive(JsonSchema)]
#[schemars(transparent)]
struct Method(#[schemars(regex(pattern = "^[!#$%&'*+.^_`|~0-9A-Z-]+$"))] String);

/// Several events at once: whether, or how many.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Bulk {
    /// Whether.
    Flag(bool),
    /// How many.
    Table(BulkTable),
}

/// How many events come at once.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct BulkTable {
    /// At most so many. Default: 100.
    #[schemars(range(min = 1, max = 10_000))]
    max_messages: Option<u32>,
    /// How long to wait for more, at most 1m. Default: 1s.
    max_await: Option<Duration>,
}

/// A folder for a guest.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Volume {
    /// The folder, which the guest may only read.
    Folder(String),
    /// The folder, and whether the guest may write.
    Table(VolumeTable),
}

/// A folder, and whether the guest may write.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct VolumeTable {
    /// The folder.
    host: String,
    /// Whether the guest may write. Default: false.
    writable: Option<bool>,
}

/// What a guest may ask of Dapr. Each item is `component`, `component/name` or
/// `component/prefix*`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct Grants {
    /// State stores and keys, to read and to write.
    #[schemars(extend("examples" = [["statestore/order-*"]]))]
    state: Option<Vec<Grant>>,
    /// State stores and keys, to read only.
    state_read: Option<Vec<Grant>>,
    /// State stores and keys, to write only.
    state_write: Option<Vec<Grant>>,
    /// State stores to query, with all their keys.
    state_query: Option<Vec<Component>>,
    /// Pub/sub components and topics to publish to.
    #[schemars(extend("examples" = [["pubsub/placed"]]))]
    publish: Option<Vec<Grant>>,
    /// Output bindings and operations.
    #[schemars(extend("examples" = [["mail/create"]]))]
    bindings: Option<Vec<Grant>>,
    /// Apps to call, and the paths at them.
    #[schemars(extend("examples" = [["billing/v1/*"]]))]
    invoke: Option<Vec<Grant>>,
    /// Secret stores and secrets.
    #[schemars(extend("examples" = [["vault/smtp"]]))]
    secrets: Option<Vec<Grant>>,
    /// Configuration stores and keys.
    configuration: Option<Vec<Grant>>,
    /// Lock stores and resources.
    lock: Option<Vec<Grant>>,
    /// The app's jobs, by name, or by its beginning and `*`.
    #[schemars(extend("examples" = [["report-*"]]))]
    jobs: Option<Vec<Grant>>,
    /// Crypto components and keys to encrypt with.
    encrypt: Option<Vec<Grant>>,
    /// Crypto components and keys to decrypt with.
    decrypt: Option<Vec<Grant>>,
    /// Conversation components.
    conversation: Option<Vec<Component>>,
    /// Actor types and ids.
    #[schemars(extend("examples" = [["Cart/user-*"]]))]
    actors: Option<Vec<Grant>>,
    /// The runtime's metadata: `read`, `write`.
    metadata: Option<Vec<MetadataGrant>>,
    /// Other unary rpcs of Dapr.
    #[schemars(extend("examples" = [["ListActorReminders"]]))]
    call: Option<Vec<Rpc>>,
}

/// A component, with all names within it.
#[derive(JsonSchema)]
#[schemars(transparent)]
struct Component(#[schemars(regex(pattern = "^[^/*]+$"))] String);

/// What may be done with the runtime's metadata.
#[derive(JsonSchema)]
#[schemars(transparent)]
struct MetadataGrant(#[schemars(regex(pattern = "^(read|write)$"))] String);

/// The name of an rpc.
#[derive(JsonSchema)]
#[schemars(transparent)]
struct Rpc(#[schemars(regex(pattern = "^[A-Z][A-Za-z0-9]*$"))] String);

/// A component, and the names within it.
#[derive(JsonSchema)]
#[schemars(transparent)]
struct Grant(#[schemars(regex(pattern = r"^[^/*]+(/([^*]+|[^*]*\*))?$"))] String);

#[cfg(test)]
mod tests;
