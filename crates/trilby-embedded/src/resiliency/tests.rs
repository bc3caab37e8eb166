//! Which policy applies to what.

use std::time::Duration;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn name(text: &str) -> Name {
    Name { text: text.to_owned(), line: 1 }
}

fn names(timeout: &str) -> PolicyNames {
    PolicyNames { timeout: Some(name(timeout)), ..PolicyNames::default() }
}

fn declared(timeouts: &[(&str, u32)]) -> DeclaredResiliency {
    let timeouts = timeouts.iter().map(|(text, seconds)| (name(text), *seconds * SECOND));
    DeclaredResiliency {
        name: "r".to_owned(),
        file: "r.yaml".into(),
        scopes: Vec::new(),
        timeouts: timeouts.collect(),
        retries: Vec::new(),
        breakers: Vec::new(),
        apps: Vec::new(),
        actors: Vec::new(),
        components: Vec::new(),
    }
}

fn policies(all: &[DeclaredResiliency]) -> Policies {
    let mut inventory = Inventory::default();
    for (kind, name) in [(Kind::State, "store"), (Kind::Pubsub, "bus")] {
        inventory.add(kind, name.to_owned(), String::new());
    }
    Policies::of(all, &inventory, &["me", "shop"]).unwrap()
}

fn timeouts(policies: &Policies) -> [Option<u64>; 5] {
    let of = |policy: Option<&Arc<Policy>>| policy.and_then(|p| p.timeout).map(|t| t.as_secs());
    let inbound = policies.inbound();
    [
        of(policies.outbound("store")),
        of(policies.outbound("bus")),
        of(inbound.get("bus")),
        policies.app("shop", "/x").and_then(|p| p.timeout).map(|t| t.as_secs()),
        policies.app("elsewhere", "/x").and_then(|p| p.timeout).map(|t| t.as_secs()),
    ]
}

#[test]
fn without_a_file_there_is_no_policy() {
    assert_eq!(timeouts(&policies(&[])), [None; 5]);
}

#[test]
fn the_most_particular_default_applies() {
    let all = |defaults: &[(&str, u32)]| timeouts(&policies(&[declared(defaults)]));
    let top = ("DefaultTimeoutPolicy", 1);
    let component = ("DefaultComponentTimeoutPolicy", 2);
    let outbound = ("DefaultComponentOutboundTimeoutPolicy", 3);
    let store = ("DefaultStatestoreComponentOutboundTimeoutPolicy", 4);
    let inbound = ("DefaultPubsubComponentInboundTimeoutPolicy", 5);
    let app = ("DefaultAppTimeoutPolicy", 6);
    let some = |all: [u64; 4]| [Some(all[0]), Some(all[1]), Some(all[2]), Some(all[3]), None];
    assert_eq!(all(&[top]), some([1, 1, 1, 1]));
    assert_eq!(all(&[top, component]), some([2, 2, 2, 1]));
    assert_eq!(all(&[top, component, outbound]), some([3, 3, 2, 1]));
    assert_eq!(all(&[top, component, outbound, store, inbound, app]), some([4, 3, 5, 6]));
}

#[test]
fn a_target_has_no_defaults_and_the_last_of_a_name_is_in_force() {
    let mut first = declared(&[("DefaultTimeoutPolicy", 1), ("t", 2)]);
    first.apps = vec![(name("shop"), AppTarget { policies: names("t"), breakers_max: None })];
    let mut last = declared(&[("t", 3)]);
    let target = ComponentTarget { outbound: names("t"), inbound: PolicyNames::default() };
    last.components = vec![(name("bus"), target)];
    let found = timeouts(&policies(&[first, last]));
    assert_eq!(found, [Some(1), Some(3), None, Some(3), None]);
}

#[test]
fn daprs_own_retries_can_be_named_and_set() {
    let retries = |mut declared: DeclaredResiliency, policy: &str| {
        let names = PolicyNames { retry: Some(name(policy)), ..PolicyNames::default() };
        declared.apps = vec![(name("shop"), AppTarget { policies: names, breakers_max: None })];
        policies(&[declared]).app("shop", "/x").unwrap().retry.unwrap()
    };
    let with = |policy: &str, retries_max| {
        let retry = Retry { back_off: BackOff::Constant(9 * SECOND), retries_max, http: None };
        let mut declared = declared(&[]);
        declared.retries = vec![(name(policy), retry)];
        declared
    };
    let service = "DaprBuiltInServiceRetries";
    assert_eq!(retries(declared(&[]), service).retries_max, Some(3));
    for (given, kept) in [(Some(7), Some(7)), (Some(1), Some(3)), (None, Some(3))] {
        let retry = retries(with(service, given), service);
        assert_eq!((retry.back_off, retry.retries_max), (BackOff::Constant(9 * SECOND), kept));
    }
    let protected = "DaprBuiltInActorNotFoundRetries";
    assert_eq!(retries(with(protected, Some(9)), protected).back_off, BackOff::Constant(SECOND));
}
