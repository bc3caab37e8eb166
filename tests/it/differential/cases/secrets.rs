//! Secrets, from files and from the environment.

use crate::differential::case::{Case, case, steps};
use crate::differential::steps::{rpc, secret, secrets, send};

/// What the stores hold, and what is refused.
pub(in crate::differential) fn all() -> Vec<Case> {
    vec![
        case("secret/one", steps![secret("secrets", "plain")]),
        case("secret/nested", steps![secret("secrets", "database:user")]),
        case("secret/nested deeper", steps![secret("secrets", "database:deep:last")]),
        case("secret/in a list", steps![secret("secrets", "list:0")]),
        case("secret/number", steps![secret("secrets", "number")]).differs("secret-texts"),
        case("secret/flag", steps![secret("secrets", "flag")]).differs("secret-texts"),
        case("secret/empty", steps![secret("secrets", "empty")]),
        case("secret/null", steps![secret("secrets", "nothing")]).differs("secret-texts"),
        case("secret/of an object", steps![secret("secrets", "database")]),
        case("secret/in another case", steps![secret("secrets", "PLAIN")]),
        case("secret/missing", steps![secret("secrets", "none")]),
        case("secret/with metadata", steps![secret("secrets", "plain").with("version", "1")]),
        case("secret/all", steps![secrets("secrets")]).differs("secret-texts"),
        case("secret/all with metadata", steps![secrets("secrets").with("a", "b")])
            .differs("secret-texts"),
        case("secret/another separator", steps![secret("dotted", "database.user")]),
        case("secret/another separator, all", steps![secrets("dotted")]).differs("secret-texts"),
        case("secret/many values", steps![secret("many", "database")]),
        case("secret/many values, one", steps![secret("many", "plain")]),
        case("secret/many values, nested", steps![secret("many", "database:user")]),
        case("secret/many values, all", steps![secrets("many")]).differs("secret-many-values"),
        case("secret/environment", steps![secret("environment", "SUITE_SECRET")]),
        case("secret/environment, missing", steps![secret("environment", "SUITE_NONE")]),
        case("secret/environment, empty", steps![secret("environment", "SUITE_EMPTY")]),
        case("secret/environment, of Dapr", steps![secret("environment", "DAPR_HOST_IP")]),
        case("secret/environment, a token", steps![secret("environment", "APP_API_TOKEN")]),
        case("secret/environment, prefix", steps![secret("prefixed", "SECRET")]),
        case("secret/environment, prefix twice", steps![secret("prefixed", "SUITE_SECRET")]),
        case("secret/environment, prefix, all", steps![secrets("prefixed")]),
        case("secret/unknown store", steps![secret("none", "plain")]),
        case("secret/unknown store, all", steps![secrets("none")]),
        case("secret/component of another kind", steps![secret("memory", "plain")]),
        case("secret/rpc without a store", {
            steps![rpc("/dapr.proto.runtime.v1.Dapr/GetSecret", b"")]
        })
        .grpc_only(),
        case("secret/rpc without a key", {
            steps![rpc("/dapr.proto.runtime.v1.Dapr/GetSecret", b"secrets")]
        })
        .grpc_only(),
        case("secret/HTTP without a key", steps![send("GET", "/v1.0/secrets/secrets", "")])
            .http_only(),
        case("secret/HTTP by POST", steps![send("POST", "/v1.0/secrets/secrets/plain", "")])
            .http_only(),
        case("secret/HTTP with a slash", steps![send("GET", "/v1.0/secrets/secrets/a/b", "")])
            .http_only(),
        case("secret/HTTP, encoded", steps![send("GET", "/v1.0/secrets/secrets/pl%61in", "")])
            .http_only(),
    ]
}

/// With a `Configuration` that allows few secrets.
pub(in crate::differential) fn scoped() -> Vec<Case> {
    vec![
        case("scope/allowed", steps![secret("secrets", "plain")]),
        case("scope/not allowed", steps![secret("secrets", "number")]),
        case("scope/not allowed and missing", steps![secret("secrets", "none")]),
        case("scope/all", steps![secrets("secrets")]),
        case("scope/denied", steps![secret("many", "plain")]),
        case("scope/not denied", steps![secret("many", "number")]).differs("secret-many-values"),
        case("scope/not denied, all", steps![secrets("many")]).differs("secret-many-values"),
        case("scope/a store without a scope", steps![secret("dotted", "plain")]),
        case("scope/unknown store", steps![secret("none", "plain")]),
    ]
}
