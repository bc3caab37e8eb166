//! Files of kind `Configuration`, as they should be and with every mistake.

use super::*;
use crate::{ApiProtocol, Inventory};

const HEAD: &str = "apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata: {name: c}\n";

fn read_all(files: &[(&str, &str)]) -> Result<Found, String> {
    let vault = with_spec("  type: secretstores.local.env\n")
        .replace("store", "vault")
        .replace("secretvaults", "secretstores");
    let folder = folder(&[files, &[("z.yaml", vault.as_str())]].concat());
    let options = options(&[folder.path().to_owned()], "app");
    let checked = Inventory::read(&options).and_then(|_| super::super::load(&options));
    checked.map_err(|error| error.to_string().replace(&format!("{}/", folder.path().display()), ""))
}

fn read(spec: &str) -> Result<Found, String> {
    read_all(&[("a.yaml", &format!("{HEAD}spec:\n{spec}"))])
}

#[test]
fn settings_are_read() {
    let found = read(
        r#"  tracing:
    samplingRate: "0.5"
    stdout: true
    zipkin: {endpointAddress: "http://127.0.0.1:9411/api/v2/spans"}
    otel: {endpointAddress: "127.0.0.1:4317", protocol: grpc, isSecure: false}
  metrics: {enabled: true}
  features: [{name: HotReload, enabled: true}]
  httpPipeline: {handlers: []}
  secrets:
    scopes:
      - {storeName: vault, defaultAccess: Deny, allowedSecrets: [a, b]}
      - {storeName: kubernetes, deniedSecrets: [c]}
  api:
    allowed: [{name: state, version: v1.0, protocol: http}]
    denied: [{name: invoke, version: v1, protocol: gRPC}]
"#,
    );
    let settings = found.unwrap().settings;
    let tracing = settings.tracing.unwrap();
    assert_eq!((tracing.sampling_rate, tracing.stdout), (Some(0.5), true));
    let otel = tracing.otel.unwrap();
    assert_eq!((otel.endpoint.as_str(), otel.is_secure), ("127.0.0.1:4317", false));
    let secrets = ["a", "c"].map(|key| settings.secrets.is_allowed("vault", key));
    assert_eq!(secrets, [true, false]);
    assert!(!settings.secrets.is_allowed("kubernetes", "c"));
    assert!(settings.api.is_allowed(ApiProtocol::Http, "state", "v1"));
    assert!(!settings.api.is_allowed(ApiProtocol::Http, "publish", "v1"));
    assert!(!settings.api.is_allowed(ApiProtocol::Grpc, "invoke", "v1"));
}

#[test]
fn mistakes_are_pointed_at() {
    let scope = |scope: &str| format!("  secrets:\n    scopes:\n      - {{{scope}}}\n");
    let rule = |rule: &str| format!("  api:\n    denied:\n      - {{{rule}}}\n");
    for (spec, expected) in [
        ("  trcing: {}\n".to_owned(), "5: `spec` has no key `trcing`; did you mean `tracing`?"),
        (
            "  tracing: {samplingRate: often}\n".to_owned(),
            "5: `samplingRate` must be a number from 0 to 1; this is `often`",
        ),
        (
            scope("storeName: vault, defaultAccess: none"),
            "7: `defaultAccess` must be allow or deny; this is `none`",
        ),
        (
            scope("storeName: vault}\n      - {storeName: vault"),
            "8: the store `vault` has a scope already, on line 7; make one of both",
        ),
        (scope("storeName: valut"), "7: there is no secret store `valut`; did you mean `vault`?"),
        (
            rule("name: sate, version: v1, protocol: http"),
            "7: there is no API `sate`; did you mean `state`?",
        ),
        (
            rule("name: state, version: v2, protocol: http"),
            "7: `version` must be one of `v1`, `v1alpha1`, `v1alpha2`, `v1beta1`; this is `v2`",
        ),
        (rule("name: state, version: v1"), "7: a rule of `api` needs `protocol`"),
        (
            rule("name: state, version: v1, protocol: tcp"),
            "7: `protocol` must be http or grpc; this is `tcp`",
        ),
    ] {
        assert_eq!(read(&spec).err(), Some(format!("a.yaml:{expected}")), "{spec}");
    }
}

#[test]
fn an_app_has_one_configuration() {
    let other = format!("{HEAD}scopes: [other]\n");
    let ours = format!("{HEAD}scopes: [app]\n");
    let found = read_all(&[("a.yaml", &other), ("b.yaml", &ours)]).unwrap();
    assert_eq!(found.settings.place.unwrap().1.file_name().unwrap(), "b.yaml");
    assert_eq!(
        read_all(&[("a.yaml", &ours), ("b.yaml", HEAD)]).err().unwrap(),
        "b.yaml:1: there is a configuration for this app already, `c` at a.yaml:1; an app has one: \
         make one of both, or give them `scopes`"
    );
}

#[test]
fn a_file_outside_the_folders_counts_too() {
    let folder =
        folder(&[("config.yaml", &format!("{HEAD}spec: {{tracing: {{stdout: true}}}}\n"))]);
    let mut options = options(&[], "app");
    options.configuration = Some(folder.path().join("config.yaml"));
    assert!(super::super::load(&options).unwrap().settings.tracing.unwrap().stdout);
    options.components.push(folder.path().to_owned());
    assert!(super::super::load(&options).err().unwrap().to_string().contains("already"));
}
