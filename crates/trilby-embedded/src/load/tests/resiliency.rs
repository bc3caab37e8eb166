//! Files of kind `Resiliency`, as they should be and with every mistake.

use std::time::Duration;

use super::*;
use crate::Inventory;
use crate::resiliency::{BackOff, StatusCodes, Trip};

const HEAD: &str = "apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: {name: r}\nspec:\n";

/// Loads beside a state store `store`, and puts the policies together.
fn read(spec: &str) -> Result<Found, String> {
    let store = with_spec("  type: state.in-memory\n");
    let text = format!("{HEAD}{spec}");
    let folder = folder(&[("a.yaml", &text), ("z.yaml", &store)]);
    let mut options = options(&[folder.path().to_owned()], "app");
    options.apps.insert("shop".to_owned(), "http://127.0.0.1:1".to_owned());
    let checked = Inventory::read(&options).and_then(|_| super::super::load(&options));
    checked.map_err(|error| error.to_string().replace(&format!("{}/", folder.path().display()), ""))
}

#[test]
fn policies_and_targets_are_read() {
    let found = read(
        r#"  policies:
    timeouts: {short: 500ms, plain: "250", never: "-1s"}
    retries:
      default: {}
      often:
        policy: Constant
        duration: 1s
        maxRetries: 5
        matching: {httpStatusCodes: "429,500-599", gRPCStatusCodes: "1-4,14"}
      growing: {policy: exponential, maxInterval: 15s, maxRetries: -1}
      none: {maxRetries: 0}
      DaprBuiltInServiceRetries: {policy: constant, duration: 10ms, maxRetries: 9}
    circuitBreakers:
      simple: {}
      full: {maxRequests: 2, interval: 8s, timeout: "1500", trip: consecutiveFailures >= 5}
  targets:
    apps:
      shop: {timeout: short, retry: DaprBuiltInServiceRetries, circuitBreakerCacheSize: 7}
      elsewhere: {retry: often}
    actors:
      thing: {retry: often, circuitBreaker: full, circuitBreakerScope: both}
    components:
      store:
        outbound: {timeout: plain, retry: often, circuitBreaker: full}
        inbound: {}
scopes: [app]
"#,
    );
    let mut found = found.unwrap().resiliencies;
    let declared = found.remove(0);
    let times: Vec<_> = declared.timeouts.iter().map(|(_, time)| time.as_millis()).collect();
    assert_eq!(times, [500, 250, 0]);
    let retries: Vec<_> = declared.retries.iter().map(|(_, retry)| retry).collect();
    let second = Duration::from_secs(1);
    assert_eq!((retries[0].back_off, retries[0].retries_max), (BackOff::CONSTANT, None));
    assert_eq!((retries[1].back_off, retries[1].retries_max), (BackOff::Constant(second), Some(5)));
    assert_eq!(retries[1].http, StatusCodes::parse("429,500-599", &StatusCodes::HTTP).ok());
    assert_eq!(retries[2].back_off, BackOff::exponential(15 * second));
    assert_eq!((retries[2].retries_max, retries[3].retries_max), (None, Some(0)));
    let (simple, full) = (&declared.breakers[0].1, &declared.breakers[1].1);
    assert_eq!((simple.trials, simple.interval, &simple.trip), (1, None, &Trip::Default));
    assert_eq!((simple.timeout, full.timeout), (60 * second, Duration::from_millis(1500)));
    assert_eq!((full.trials, full.interval), (2, Some(8 * second)));
    assert_eq!(full.trip, Trip::parse("consecutiveFailures >= 5").unwrap());
    assert_eq!(declared.apps[0].1.breakers_max, Some(7));
}

#[test]
fn mistakes_are_pointed_at() {
    let retry = |retry: &str| format!("  policies:\n    retries:\n      r: {{{retry}}}\n");
    let breaker = |b: &str| format!("  policies:\n    circuitBreakers:\n      b: {{{b}}}\n");
    let target = |target: &str| format!("  targets:\n{target}\n");
    for (spec, expected) in [
        ("  polices: {}\n".to_owned(), "5: `spec` has no key `polices`; did you mean `policies`?"),
        (
            "  policies:\n    timeouts:\n      t: 5\n".to_owned(),
            "7: `t` must be a text; this is a number; daprd wants it in quotes: \"5\"",
        ),
        (
            "  policies:\n    timeouts:\n      t: soon\n".to_owned(),
            "7: `t` must be a time such as `5s` or `500ms`; this is `soon`",
        ),
        (
            "  policies:\n    timeouts:\n      t: 1s\n      t: 2s\n".to_owned(),
            "8: the key `t` is here already, on line 7; keep one",
        ),
        (retry("policy: linear"), "7: `policy` must be constant or exponential; this is `linear`"),
        (
            retry("maxRetris: 1"),
            "7: a retry policy has no key `maxRetris`; did you mean `maxRetries`?",
        ),
        (
            retry("matching: {httpStatusCodes: '99'}"),
            "7: in `httpStatusCodes`: `99` is no status code; they go from 100 to 599",
        ),
        (
            breaker("trip: consecutiveFailure > 5"),
            "7: in `trip`: there is no count `consecutiveFailure`; did you mean \
             `consecutiveFailures`?",
        ),
        (
            target("    components:\n      store: {outbound: {retry: often}}"),
            "7: there is no retry policy `often`; add it to `policies`",
        ),
        (
            target("    apps:\n      shop: {retry: DaprBuiltInServiceRetrie}"),
            "7: there is no retry policy `DaprBuiltInServiceRetrie`; did you mean \
             `DaprBuiltInServiceRetries`?",
        ),
        (
            target("    components:\n      stor: {outbound: {}}"),
            "7: there is no component `stor`; did you mean `store`?",
        ),
        (target("    apps:\n      shpo: {}"), "7: there is no app `shpo`; did you mean `shop`?"),
        (
            target("    components:\n      store: {outbond: {}}"),
            "7: a component's target has no key `outbond`; did you mean `outbound`?",
        ),
        (
            target("    actors:\n      thing: {circuitBreaker: b}"),
            "7: an actor's `circuitBreaker` needs `circuitBreakerScope`: type, id or both",
        ),
    ] {
        assert_eq!(read(&spec).err(), Some(format!("a.yaml:{expected}")), "{spec}");
    }
}

#[test]
fn what_is_elsewhere_or_has_a_target_itself_is_no_slip() {
    let targets = "  targets:\n    components:\n      store: {}\n      stores: {}\n      far: {}\n";
    assert_eq!(read(targets).unwrap().resiliencies.len(), 1);
}
