//! Files of kind `HTTPEndpoint`, as they should be and with every mistake.

use super::*;

const HEAD: &str =
    "apiVersion: dapr.io/v1alpha1\nkind: HTTPEndpoint\nmetadata: {name: api}\nspec:\n";

fn endpoint(spec: &str) -> Result<Endpoint, String> {
    let folder = folder(&[("a.yaml", &format!("{HEAD}{spec}"))]);
    let env = BTreeMap::from([("CITY".to_owned(), "Bern".to_owned())]);
    let context = Context {
        app_id: "app",
        env: &env,
        secrets: &|_, _, _| Lookup::Found("hunter2".to_owned()),
    };
    let found = load(&[folder.path().to_owned()], "app");
    let endpoint = found.and_then(|found| found.endpoints[0].resolve(&context));
    endpoint
        .map_err(|error| error.to_string().replace(&format!("{}/", folder.path().display()), ""))
}

#[test]
fn an_endpoint_has_an_address_and_headers() {
    let endpoint = endpoint(
        "  baseUrl: https://example.com:8443/v1/\n  headers:\n  - {name: Accept, value: a/b}\n  \
         - {name: X-City, envRef: CITY}\n  - {name: X-Id, value: '{appID}'}\n  \
         - {name: Authorization, secretKeyRef: {name: token}}\nauth: {secretStore: vault}\n",
    );
    let Endpoint { base, headers } = endpoint.unwrap();
    assert_eq!(base, "https://example.com:8443/v1/");
    for (name, value) in [("accept", "a/b"), ("x-city", "Bern"), ("x-id", "{appID}")] {
        assert_eq!(headers[name], value);
    }
    assert_eq!(headers["authorization"], "hunter2");
    assert!(!format!("{headers:?}").contains("hunter2"));
}

#[test]
fn mistakes_are_pointed_at() {
    let url = "`baseUrl` must be `http://host:port/path` or `https://…`, without a user, `?` and \
               `#`; this is";
    for (spec, expected) in [
        ("  headers: []\n", "5: `spec` needs `baseUrl`".to_owned()),
        (
            "  baseURL: http://a\n",
            "5: `spec` has no key `baseURL`; did you mean `baseUrl`?".to_owned(),
        ),
        ("  baseUrl: example.com\n", format!("5: {url} `example.com`")),
        ("  baseUrl: http://a?b=c\n", format!("5: {url} `http://a?b=c`")),
        ("  baseUrl: http://me:hunter2@a\n", format!("5: {url} `a`")),
        (
            "  baseUrl: http://a\n  clientTLS: {rootCA: {value: x}}\n",
            "6: the embedded runtime does not have `clientTLS`; it trusts the certificates that \
             this machine trusts, and a daprd sidecar has the other ones"
                .to_owned(),
        ),
        (
            "  baseUrl: http://a\n  headers: [{name: a b, value: c}]\n",
            "6: `a b` is no name of a header".to_owned(),
        ),
        (
            "  baseUrl: http://a\n  headers: [{name: Host, value: c}]\n",
            "6: `Host` is about the connection, and not for a file to set".to_owned(),
        ),
        (
            "  baseUrl: http://a\n  headers: [{name: a, value: \"b\\n\"}]\n",
            "6: the value of `a` cannot be a header's".to_owned(),
        ),
    ] {
        assert_eq!(endpoint(spec).err(), Some(format!("a.yaml:{expected}")), "{spec}");
    }
}
