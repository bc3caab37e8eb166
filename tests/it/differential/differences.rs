//! The differences that are meant, each a row of `crates/trilby-embedded/DIFFERENCES.md`.

/// How a difference shows in a line of a transcript.
#[derive(Debug)]
pub(super) struct Difference {
    /// Its id in the document. One row may show in several ways.
    pub(super) id: &'static str,
    /// What daprd's line contains.
    pub(super) daprd: &'static str,
    /// What our line contains in its place.
    pub(super) ours: &'static str,
}

const fn difference(id: &'static str, daprd: &'static str, ours: &'static str) -> Difference {
    Difference { id, daprd, ours }
}

/// All of them.
pub(super) const DIFFERENCES: &[Difference] = &[
    difference(
        "json-texts",
        "\"errorCode\":\"ERR_MALFORMED_REQUEST\"",
        "\"errorCode\":\"ERR_MALFORMED_REQUEST\"",
    ),
    difference(
        "json-texts",
        "error when unmarshaling the request",
        "error when unmarshaling the request",
    ),
    difference(
        "json-texts",
        "DAPR_PUBSUB_CLOUD_EVENT_CREATION",
        "DAPR_PUBSUB_CLOUD_EVENT_CREATION",
    ),
    difference(
        "protobuf-texts",
        "Internal \"grpc: error unmarshalling request",
        "Internal \"failed to decode Protobuf message",
    ),
    difference("go-texts", "invalid params%!(EXTRA *errors.errorString=", "invalid params: "),
    difference("secret-texts", "%!s(", "true"),
    difference("secret-texts", "%!s(", "12.5"),
    difference("secret-texts", "%!s(<nil>)", "\"\""),
    difference("secret-many-values", "secret number not found", "12.5"),
    difference("secret-many-values", "database", "list"),
    difference("crypto-asymmetric", "key type mismatch", "TRILBY_ASYMMETRIC_KEY"),
    difference(
        "crypto-paths",
        "open <folder>/keys/none: no such file or directory",
        "failed to load key 'none'\"",
    ),
    difference("ttl-overflow", "get: 204", "get: 200"),
    difference("ttl-overflow", "etag=none", "etag=<etag>"),
    difference("transaction-values", "{\"a\":1}", "{\"a\" : 1}"),
    difference("transaction-values", "12345678901234567000", "12345678901234567890"),
    difference("binding-values", "{\"a\":[1,2]}", "{\"a\": [1, 2]}"),
    difference("binding-values", "12.5", "12.50"),
    difference("event-data", "{\"a\":[],\"b\":1}", "{ \"b\" : 1,\\n\"a\" : [ ] }"),
    difference("event-data", "{\"a\":12345678901234567000}", "{\"a\":12345678901234567890.123}"),
    difference("event-lost", "tracestate=\"\"} ", "tracestate=\"\"} {\"a\":1}"),
    difference("event-lost", "tracestate=\"\"} ", "tracestate=\"\"} data"),
    difference("event-lost", "tracestate=\"\"} ", "tracestate=\"\"} null"),
    difference("event-lost", "content-type=\"\"", "content-type=\"application/json\""),
    difference("raw-trace", ", traceid=\"\", tracestate=\"\"}", "}"),
    difference("ttl-overflow", "invalid expire time", "save: "),
    difference("redis-guards", "save: 204", "save: 409"),
    difference("redis-guards", "save: OK", "save: Aborted"),
    difference("redis-guards", "delete: 204", "delete: 409"),
    difference("redis-guards", "delete: OK", "delete: Aborted"),
    difference("redis-guards", "save: 500", "save: 409"),
    difference("redis-guards", "save: Internal", "save: Aborted"),
    difference("redis-guards", "save: 500", "save: 204"),
    difference("redis-guards", "save: Internal", "save: OK"),
    difference("redis-guards", "get: ", "get: "),
    difference("redis-texts", "ERR user_script:", "error from state store: failed to "),
    difference("redis-transactions", "transact: 204", "transact: 500"),
    difference("redis-transactions", "transact: OK", "transact: Internal"),
    difference("redis-transactions", "ERR user_script:", "possible etag mismatch"),
    difference("redis-transactions", "get: ", "get: "),
    difference("redis-json", "Unknown Redis command", "transact: OK"),
    difference("redis-json", "get: ", "get: "),
    difference("redis-queries", "DAPR_STATE_QUERY_FAILED", "DAPR_STATE_QUERYING_NOT_SUPPORTED"),
    difference("http-status-words", "status: 20", "status: 20"),
    difference("http-status-words", "status: 404]", "status: 404 Not Found]"),
    difference("http-status-words", "status: 500]", "status: 500 Internal"),
    difference("http-status-words", "status=\"", "status=\""),
    difference(
        "http-texts",
        "error invoking output binding web: ",
        "the answer from http://<address> broke off",
    ),
    difference(
        "http-texts",
        "error invoking output binding web: ",
        "no answer from http://<address>",
    ),
    difference("bulk-twice", "bulk get: ", "bulk get: "),
    difference("redis-values", "{\"b\":1,\"a\":[1,2]}", "{\"a\":[1,2],\"b\":1}"),
    difference("redis-values", "<&>", "\\u003c\\u0026\\u003e"),
    difference("query-metadata", "\"metadata\":null", "\"metadata\":{\"appID\""),
    difference("json-members", ": 204", "\"key\\\" is a required field"),
    difference("json-members", ": 204", "duplicate field"),
    difference("conversation-alpha1", "\"result\":\"a\"", ": 404"),
    difference("no-workflows", "ERR_ACTOR_NO_PLACEMENT", ": 404"),
    difference("crypto-late", "\"errorCode\":\"ERROR\"", "\"errorCode\":\"ERR_CRYPTO\""),
    difference(
        "binding-failure",
        "[metadata.statuscode:",
        "500 [content-type: application/json] {",
    ),
    difference("job-data", "application/json ", "type.googleapis.com/google.protobuf.Value "),
    difference(
        "job-data",
        "\"value\":null",
        "200 [content-type: application/json] {\"failurePolicy\"",
    ),
    difference("raw-attributes", "id=\"\" source=\"\"", "\"last\""),
    difference("retries", "of $d: event", "of $: event"),
    difference("configuration-empty", "204", "{\"empty\":{}}"),
    difference("configuration-empty", "configuration: OK", "empty=\"\""),
    difference("configuration-empty", "{\"one\":{\"value\":\"1\"},", "{\"empty\":{},"),
    difference("runtime-version", "1.18.3", "trilby-"),
    difference("no-actors", "\"ACTOR\",", "\"capabilities\":[\"ETAG\","),
    difference("no-actors", "\"ACTOR\",", "[\"ETAG\","),
    difference("runtime-features", "HotReload", ""),
    difference("own-app", "channelAddress", "\"protocol\":\"http\""),
    difference("own-app", "channel_address: \"127.0.0.1\"", "channel_address: \"\""),
    difference("jobs-without-scheduler", "scheduler clients are disabled", ""),
    difference("long-heads", "431", "204"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use trilby_testkit::repository;

    use super::DIFFERENCES;

    #[test]
    fn each_difference_is_a_row_of_the_document_and_each_row_is_a_difference() {
        let path = repository().join("crates/trilby-embedded/DIFFERENCES.md");
        let document = std::fs::read_to_string(path).unwrap();
        let rows = document.lines().filter_map(|line| line.strip_prefix("| `"));
        // In other tables a row does not begin with an id alone.
        let rows = rows.filter_map(|row| row.split_once('`'));
        let rows: BTreeSet<_> =
            rows.filter(|(_, rest)| rest.starts_with(" |")).map(|(id, _)| id).collect();
        let ids: BTreeSet<_> = DIFFERENCES.iter().map(|difference| difference.id).collect();
        assert_eq!(rows, ids);
    }
}
