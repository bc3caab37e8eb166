//! Grants at work: each call is checked against what the manifest names.

use trilby_dapr::Error;
use trilby_manifest::{Grant, Grants};

/// What one route's guest may do. Shared by all requests of the route.
#[derive(Clone, Debug, Default)]
pub struct Access {
    grants: Grants,
}

impl Access {
    /// Access as the manifest grants it.
    #[must_use]
    pub fn new(grants: Grants) -> Self {
        Self { grants }
    }

    pub(crate) fn state(&self, store: &str, key: &str) -> Result<(), Error> {
        check(&self.grants.state, "state", store, key, "key")
    }

    pub(crate) fn publish(&self, pubsub: &str, topic: &str) -> Result<(), Error> {
        check(&self.grants.publish, "publish", pubsub, topic, "topic")
    }

    pub(crate) fn binding(&self, binding: &str, operation: &str) -> Result<(), Error> {
        check(&self.grants.bindings, "bindings", binding, operation, "operation")
    }

    pub(crate) fn secret(&self, store: &str, key: &str) -> Result<(), Error> {
        check(&self.grants.secrets, "secrets", store, key, "secret")
    }
}

fn check(
    grants: &[Grant],
    block: &str,
    component: &str,
    name: &str,
    noun: &str,
) -> Result<(), Error> {
    if grants.iter().any(|grant| grant.allows(component, name)) {
        return Ok(());
    }
    let (component, name) = (shown(component), shown(name));
    Err(Error::not_granted(
        &format!("{block}: {noun} `{name}` of `{component}`"),
        &format!("grants = {{ {block} = [\"{component}/{name}\"] }}"),
    ))
}

/// A guest's name as a message may show it: short, and without control characters.
fn shown(name: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 80;
    let mut text: String =
        name.chars().take(SHOWN_CHARS_MAX).flat_map(char::escape_debug).collect();
    if name.chars().nth(SHOWN_CHARS_MAX).is_some() {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_line_to_add() {
        let state = Grant::parse("orders/user-*").into_iter().collect();
        let access = Access::new(Grants { state, ..Grants::default() });
        assert_eq!(access.state("orders", "user-1"), Ok(()));
        let error = access.state("orders", "admin").expect_err("not granted");
        assert_eq!(error.code, trilby_dapr::Code::PermissionDenied);
        assert!(error.message.contains(r#"grants = { state = ["orders/admin"] }"#), "{error}");
        assert!(access.publish("orders", "user-1").is_err());
        assert!(access.secret("orders", "user-1").is_err());
        assert!(access.binding("orders", "user-1").is_err());
    }

    #[test]
    fn odd_names_do_not_spoil_the_message() {
        let error = Access::default().state("a\nb", &"x".repeat(500)).expect_err("not granted");
        assert!(error.message.contains(r"a\nb"));
        assert!(error.message.len() < 500);
    }
}
