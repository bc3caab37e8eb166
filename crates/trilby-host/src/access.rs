//! Grants at work: each call is checked against what the manifest names.
//!
//! Names are checked on the way: an empty one, and one that means more to Dapr than it says, are
//! no names, whatever is granted.

use trilby_dapr::{Code, Error};
use trilby_manifest::{Grant, Grants, MetadataGrant, Pattern};

use crate::shown;

mod names;

/// What one route's guest may do. Shared by all requests of the route.
#[derive(Clone, Debug, Default)]
pub struct Access {
    grants: Grants,
}

type Checked = Result<(), Error>;

impl Access {
    /// Access as the manifest grants it.
    #[must_use]
    pub fn new(grants: Grants) -> Self {
        Self { grants }
    }

    pub(crate) fn state_read(&self, store: &str, key: &str) -> Checked {
        self.state(&self.grants.state_read, "state-read", store, key)
    }

    pub(crate) fn state_write(&self, store: &str, key: &str) -> Checked {
        self.state(&self.grants.state_write, "state-write", store, key)
    }

    fn state(&self, half: &[Grant], half_name: &str, store: &str, key: &str) -> Checked {
        names::present("store", store)?;
        names::part_of_key("key", key)?;
        if allows(&self.grants.state, store, key) || allows(half, store, key) {
            return Ok(());
        }
        // A manifest that tells reading from writing means to go on so.
        let tells_apart = !self.grants.state_read.is_empty() || !self.grants.state_write.is_empty();
        let grant = if tells_apart { half_name } else { "state" };
        Err(refused(grant, "key", store, key))
    }

    pub(crate) fn state_query(&self, store: &str) -> Checked {
        names::present("store", store)?;
        let is_whole = |grant: &Grant| {
            grant.component == store && grant.pattern == Pattern::Prefix(String::new())
        };
        if self.grants.state_query.iter().any(is_whole) {
            return Ok(());
        }
        Err(refused_alone("state-query", "all keys of", store))
    }

    pub(crate) fn publish(&self, pubsub: &str, topic: &str) -> Checked {
        check(&self.grants.publish, "publish", "topic", pubsub, topic)
    }

    pub(crate) fn binding(&self, binding: &str, operation: &str) -> Checked {
        check(&self.grants.bindings, "bindings", "operation", binding, operation)
    }

    /// `path` has passed [`crate::path::check`].
    pub(crate) fn invoke(&self, app: &str, path: &str) -> Checked {
        check(&self.grants.invoke, "invoke", "method", app, path)
    }

    pub(crate) fn secret(&self, store: &str, key: &str) -> Checked {
        check(&self.grants.secrets, "secrets", "secret", store, key)
    }

    /// Whether some secret of a store is granted.
    pub(crate) fn some_secrets(&self, store: &str) -> Checked {
        some(&self.grants.secrets, "secrets", "secrets", store)
    }

    pub(crate) fn configuration(&self, store: &str, key: &str) -> Checked {
        check(&self.grants.configuration, "configuration", "key", store, key)
    }

    /// The keys of a configuration store that are granted one by one; `None` where a prefix is.
    pub(crate) fn configuration_keys(&self, store: &str) -> Result<Option<Vec<String>>, Error> {
        some(&self.grants.configuration, "configuration", "keys", store)?;
        let of_store = self.grants.configuration.iter().filter(|grant| grant.component == store);
        Ok(of_store
            .map(|grant| match &grant.pattern {
                Pattern::Exact(key) => Some(key.clone()),
                Pattern::Prefix(_) => None,
            })
            .collect())
    }

    pub(crate) fn lock(&self, store: &str, resource: &str) -> Checked {
        names::present("store", store)?;
        names::part_of_key("resource", resource)?;
        check(&self.grants.lock, "lock", "resource", store, resource)
    }

    pub(crate) fn job(&self, name: &str) -> Checked {
        names::part_of_path("job", name)?;
        if self.is_job_granted(name) {
            return Ok(());
        }
        Err(refused_alone("jobs", "the job", name))
    }

    /// Whether some job is granted.
    pub(crate) fn some_jobs(&self) -> Checked {
        if self.grants.jobs.is_empty() {
            let line = r#"grants = { jobs = ["NAME"] }"#;
            return Err(Error::not_granted("jobs: any job", line));
        }
        Ok(())
    }

    pub(crate) fn is_job_granted(&self, name: &str) -> bool {
        self.grants.jobs.iter().any(|pattern| pattern.allows(name))
    }

    pub(crate) fn encrypt(&self, component: &str, key: &str) -> Checked {
        check(&self.grants.encrypt, "encrypt", "key", component, key)
    }

    pub(crate) fn decrypt(&self, component: &str, key: &str) -> Checked {
        check(&self.grants.decrypt, "decrypt", "key", component, key)
    }

    pub(crate) fn conversation(&self, component: &str) -> Checked {
        names::present("component", component)?;
        if self.grants.conversation.iter().any(|granted| granted == component) {
            return Ok(());
        }
        Err(refused_alone("conversation", "the component", component))
    }

    pub(crate) fn actor(&self, actor_type: &str, id: &str) -> Checked {
        names::part_of_path("actor type", actor_type)?;
        names::part_of_path("actor id", id)?;
        check(&self.grants.actors, "actors", "actor", actor_type, id)
    }

    /// A name within an actor: its key, method, reminder or timer.
    pub(crate) fn within_actor(noun: &str, name: &str) -> Checked {
        match noun {
            "key" => names::part_of_key(noun, name),
            _ => names::part_of_path(noun, name),
        }
    }

    pub(crate) fn metadata(&self, wish: MetadataGrant) -> Checked {
        if self.grants.metadata.contains(&wish) {
            return Ok(());
        }
        let (verb, word) = match wish {
            MetadataGrant::Read => ("reading", "read"),
            MetadataGrant::Write => ("adding to", "write"),
        };
        Err(Error::not_granted(
            &format!("{verb} the metadata of the runtime"),
            &format!("grants = {{ metadata = [\"{word}\"] }}"),
        ))
    }

    pub(crate) fn call(&self, rpc: &str) -> Checked {
        names::present("rpc", rpc)?;
        if self.grants.call.iter().any(|granted| granted == rpc) {
            return Ok(());
        }
        Err(refused_alone("call", "the rpc", rpc))
    }
}

/// The refusal of an rpc that has a function of its own, under the grant `grant`.
pub(crate) fn typed_rpc(rpc: &str, grant: &str) -> Error {
    Error::new(
        Code::PermissionDenied,
        format!(
            "the rpc `{rpc}` has a function of its own in the guest ABI; call that, with a grant \
             of `{grant}` in this route's grants"
        ),
    )
    .with_reason("TRILBY_NOT_GRANTED")
}

fn allows(grants: &[Grant], component: &str, name: &str) -> bool {
    grants.iter().any(|grant| grant.allows(component, name))
}

fn check(grants: &[Grant], block: &str, noun: &str, component: &str, name: &str) -> Checked {
    names::present("component", component)?;
    names::present(noun, name)?;
    if allows(grants, component, name) {
        return Ok(());
    }
    Err(refused(block, noun, component, name))
}

/// Whether anything of a component is granted.
fn some(grants: &[Grant], block: &str, nouns: &str, component: &str) -> Checked {
    names::present("component", component)?;
    if grants.iter().any(|grant| grant.component == component) {
        return Ok(());
    }
    Err(refused_alone(block, &format!("any {nouns} of"), component))
}

fn refused(block: &str, noun: &str, component: &str, name: &str) -> Error {
    let (component, name) = (shown(component), shown(name));
    Error::not_granted(
        &format!("{block}: {noun} `{name}` of `{component}`"),
        &format!("grants = {{ {block} = [\"{component}/{name}\"] }}"),
    )
}

fn refused_alone(block: &str, what: &str, name: &str) -> Error {
    let name = shown(name);
    Error::not_granted(
        &format!("{block}: {what} `{name}`"),
        &format!("grants = {{ {block} = [\"{name}\"] }}"),
    )
}

#[cfg(test)]
mod tests;
