//! Which building blocks a module imports, and which of them its route does not grant.

use trilby_manifest::Grants;

/// All import modules of the ABI.
pub const IMPORT_MODULES: &[&str] = &[
    "dapr_v1",
    "dapr_state_v1",
    "dapr_pubsub_v1",
    "dapr_binding_v1",
    "dapr_secret_v1",
    EXPERIMENTAL_HTTP,
];

/// The import module of WAGI's outbound HTTP.
pub const EXPERIMENTAL_HTTP: &str = "wasi_experimental_http";

/// A building block of the core-module ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    /// `dapr_state_v1`.
    State,
    /// `dapr_pubsub_v1`.
    Pubsub,
    /// `dapr_binding_v1`.
    Binding,
    /// `dapr_secret_v1`.
    Secret,
}

impl Block {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::State, Self::Pubsub, Self::Binding, Self::Secret];

    /// The import module's name.
    #[must_use]
    pub fn import_module(self) -> &'static str {
        match self {
            Self::State => "dapr_state_v1",
            Self::Pubsub => "dapr_pubsub_v1",
            Self::Binding => "dapr_binding_v1",
            Self::Secret => "dapr_secret_v1",
        }
    }

    /// An entry of a route's `grants` that grants something of this block.
    #[must_use]
    pub fn example(self) -> &'static str {
        match self {
            Self::State => r#"state = ["statestore"]"#,
            Self::Pubsub => r#"publish = ["pubsub/TOPIC"]"#,
            Self::Binding => r#"bindings = ["BINDING/OPERATION"]"#,
            Self::Secret => r#"secrets = ["STORE/SECRET"]"#,
        }
    }

    fn is_granted(self, grants: &Grants) -> bool {
        match self {
            Self::State => !grants.state.is_empty(),
            Self::Pubsub => !grants.publish.is_empty(),
            Self::Binding => !grants.bindings.is_empty(),
            Self::Secret => !grants.secrets.is_empty(),
        }
    }
}

/// The blocks among `import_modules` of which `grants` names nothing.
#[must_use]
pub fn missing_grants(import_modules: &[String], grants: &Grants) -> Vec<Block> {
    let imported = |block: &Block| import_modules.iter().any(|m| m == block.import_module());
    Block::ALL.into_iter().filter(imported).filter(|block| !block.is_granted(grants)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_without_a_grant_is_found() {
        let imports = ["dapr_state_v1".to_owned(), "dapr_v1".into(), "dapr_secret_v1".into()];
        let state = trilby_manifest::Grant::parse("s").into_iter().collect();
        let grants = Grants { state, ..Grants::default() };
        assert_eq!(missing_grants(&imports, &grants), [Block::Secret]);
        assert_eq!(missing_grants(&imports, &Grants::default()), [Block::State, Block::Secret]);
        assert_eq!(missing_grants(&[], &Grants::default()), []);
    }
}
