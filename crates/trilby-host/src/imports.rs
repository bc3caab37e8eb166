//! Which building blocks a module imports, and which of them its route does not grant.

use trilby_manifest::Grants;

/// All import modules of the ABI.
pub const IMPORT_MODULES: &[&str] = &[
    ANSWERS,
    "dapr_state_v1",
    "dapr_pubsub_v1",
    "dapr_binding_v1",
    "dapr_invoke_v1",
    "dapr_secret_v1",
    "dapr_configuration_v1",
    "dapr_lock_v1",
    "dapr_jobs_v1",
    "dapr_crypto_v1",
    "dapr_conversation_v1",
    "dapr_actor_v1",
    "dapr_metadata_v1",
    EXPERIMENTAL_HTTP,
];

/// The import module of WAGI's outbound HTTP.
pub const EXPERIMENTAL_HTTP: &str = "wasi_experimental_http";

/// The import module that needs no grant, but for one function of it.
const ANSWERS: &str = "dapr_v1";
const CALL: &str = "call";

/// A building block of the core-module ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    /// `dapr_state_v1`.
    State,
    /// `dapr_pubsub_v1`.
    Pubsub,
    /// `dapr_binding_v1`.
    Binding,
    /// `dapr_invoke_v1`.
    Invoke,
    /// `dapr_secret_v1`.
    Secret,
    /// `dapr_configuration_v1`.
    Configuration,
    /// `dapr_lock_v1`.
    Lock,
    /// `dapr_jobs_v1`.
    Jobs,
    /// `dapr_crypto_v1`.
    Crypto,
    /// `dapr_conversation_v1`.
    Conversation,
    /// `dapr_actor_v1`.
    Actor,
    /// `dapr_metadata_v1`.
    Metadata,
    /// The function `call` of `dapr_v1`.
    Call,
}

impl Block {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::State,
        Self::Pubsub,
        Self::Binding,
        Self::Invoke,
        Self::Secret,
        Self::Configuration,
        Self::Lock,
        Self::Jobs,
        Self::Crypto,
        Self::Conversation,
        Self::Actor,
        Self::Metadata,
        Self::Call,
    ];

    /// What a module imports of it: an import module, or one function, as `module.function`.
    #[must_use]
    pub fn import(self) -> &'static str {
        match self {
            Self::State => "dapr_state_v1",
            Self::Pubsub => "dapr_pubsub_v1",
            Self::Binding => "dapr_binding_v1",
            Self::Invoke => "dapr_invoke_v1",
            Self::Secret => "dapr_secret_v1",
            Self::Configuration => "dapr_configuration_v1",
            Self::Lock => "dapr_lock_v1",
            Self::Jobs => "dapr_jobs_v1",
            Self::Crypto => "dapr_crypto_v1",
            Self::Conversation => "dapr_conversation_v1",
            Self::Actor => "dapr_actor_v1",
            Self::Metadata => "dapr_metadata_v1",
            Self::Call => "dapr_v1.call",
        }
    }

    /// An entry of a route's `grants` that grants something of this block.
    #[must_use]
    pub fn example(self) -> &'static str {
        match self {
            Self::State => r#"state = ["statestore"]"#,
            Self::Pubsub => r#"publish = ["pubsub/TOPIC"]"#,
            Self::Binding => r#"bindings = ["BINDING/OPERATION"]"#,
            Self::Invoke => r#"invoke = ["APP/METHOD"]"#,
            Self::Secret => r#"secrets = ["STORE/SECRET"]"#,
            Self::Configuration => r#"configuration = ["STORE/KEY"]"#,
            Self::Lock => r#"lock = ["STORE/RESOURCE"]"#,
            Self::Jobs => r#"jobs = ["NAME"]"#,
            Self::Crypto => r#"encrypt = ["COMPONENT/KEY"]"#,
            Self::Conversation => r#"conversation = ["COMPONENT"]"#,
            Self::Actor => r#"actors = ["TYPE/ID"]"#,
            Self::Metadata => r#"metadata = ["read"]"#,
            Self::Call => r#"call = ["RPC"]"#,
        }
    }

    fn is_granted(self, grants: &Grants) -> bool {
        match self {
            Self::State => {
                [&grants.state, &grants.state_read, &grants.state_write, &grants.state_query]
                    .map(Vec::is_empty)
                    .contains(&false)
            }
            Self::Pubsub => !grants.publish.is_empty(),
            Self::Binding => !grants.bindings.is_empty(),
            Self::Invoke => !grants.invoke.is_empty(),
            Self::Secret => !grants.secrets.is_empty(),
            Self::Configuration => !grants.configuration.is_empty(),
            Self::Lock => !grants.lock.is_empty(),
            Self::Jobs => !grants.jobs.is_empty(),
            Self::Crypto => !grants.encrypt.is_empty() || !grants.decrypt.is_empty(),
            Self::Conversation => !grants.conversation.is_empty(),
            Self::Actor => !grants.actors.is_empty(),
            Self::Metadata => !grants.metadata.is_empty(),
            Self::Call => !grants.call.is_empty(),
        }
    }

    fn is_import(self, module: &str, name: &str) -> bool {
        match self {
            Self::Call => module == ANSWERS && name == CALL,
            _ => module == self.import(),
        }
    }
}

/// The blocks among `imports`, pairs of a module and a function of it, of which `grants` names
/// nothing.
#[must_use]
pub fn missing_grants(imports: &[(String, String)], grants: &Grants) -> Vec<Block> {
    let is_imported =
        |block: &Block| imports.iter().any(|(module, name)| block.is_import(module, name));
    Block::ALL.into_iter().filter(is_imported).filter(|block| !block.is_granted(grants)).collect()
}

#[cfg(test)]
mod tests {
    use trilby_manifest::{Grant, MetadataGrant, Pattern};

    use super::*;

    fn imports(of: &[(&str, &str)]) -> Vec<(String, String)> {
        of.iter().map(|(module, name)| ((*module).to_owned(), (*name).to_owned())).collect()
    }

    #[test]
    fn an_import_without_a_grant_is_found() {
        let imports = imports(&[
            ("dapr_state_v1", "get"),
            ("dapr_state_v1", "set"),
            ("dapr_v1", "read"),
            ("dapr_secret_v1", "get"),
        ]);
        let state = Grant::parse("s").into_iter().collect();
        let grants = Grants { state, ..Grants::default() };
        assert_eq!(missing_grants(&imports, &grants), [Block::Secret]);
        assert_eq!(missing_grants(&imports, &Grants::default()), [Block::State, Block::Secret]);
        assert_eq!(missing_grants(&[], &Grants::default()), []);
    }

    #[test]
    fn every_block_is_an_import_module_and_its_grants_count() {
        let one = || Grant::parse("a").into_iter().collect::<Vec<_>>();
        let none = Grants::default;
        let grants = [
            (Block::State, Grants { state: one(), ..none() }),
            (Block::State, Grants { state_read: one(), ..none() }),
            (Block::State, Grants { state_write: one(), ..none() }),
            (Block::State, Grants { state_query: one(), ..none() }),
            (Block::Pubsub, Grants { publish: one(), ..none() }),
            (Block::Binding, Grants { bindings: one(), ..none() }),
            (Block::Invoke, Grants { invoke: one(), ..none() }),
            (Block::Secret, Grants { secrets: one(), ..none() }),
            (Block::Configuration, Grants { configuration: one(), ..none() }),
            (Block::Lock, Grants { lock: one(), ..none() }),
            (Block::Jobs, Grants { jobs: vec![Pattern::Exact("a".into())], ..none() }),
            (Block::Crypto, Grants { encrypt: one(), ..none() }),
            (Block::Crypto, Grants { decrypt: one(), ..none() }),
            (Block::Conversation, Grants { conversation: vec!["a".into()], ..none() }),
            (Block::Actor, Grants { actors: one(), ..none() }),
            (Block::Metadata, Grants { metadata: vec![MetadataGrant::Read], ..none() }),
            (Block::Call, Grants { call: vec!["a".into()], ..none() }),
        ];
        for (granted, grants) in &grants {
            for block in Block::ALL {
                let (module, name) =
                    block.import().split_once('.').unwrap_or_else(|| (block.import(), "f"));
                assert!(IMPORT_MODULES.contains(&module), "{block:?}");
                let missing = missing_grants(&imports(&[(module, name)]), grants);
                assert_eq!(missing.is_empty(), block == *granted, "{block:?} by {grants:?}");
            }
        }
    }

    #[test]
    fn only_one_function_of_answers_needs_a_grant() {
        let of = |name| missing_grants(&imports(&[("dapr_v1", name)]), &Grants::default());
        assert_eq!(of("read"), []);
        assert_eq!(of("call"), [Block::Call]);
    }
}
