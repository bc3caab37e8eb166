//! What there is without any YAML, so that a first guest can keep state, publish events and lock.
//!
//! Each is added only when no component file for this app describes a component of its kind: who
//! writes one state store does not get a second one by surprise.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, CONTROLS, percent_encode};

use crate::Kind;
use crate::component::Component;

/// What means something in the path of a URI.
const NOT_IN_A_PATH: &AsciiSet = &CONTROLS.add(b'%').add(b'?').add(b'#');

/// The default component of a kind: `statestore` keeps its state in `state.db` of the data folder,
/// which is made if needed; `pubsub` and `lockstore` are in memory. Other kinds have none.
pub(crate) fn component(kind: Kind, data_dir: &Path) -> Option<Component> {
    let (name, type_name, metadata) = match kind {
        Kind::State => {
            let path = data_dir.join("state.db");
            let path = percent_encode(path.as_os_str().as_encoded_bytes(), NOT_IN_A_PATH);
            let connection = ("connectionString".to_owned(), format!("file:{path}"));
            ("statestore", "state.sqlite", BTreeMap::from([connection]))
        }
        Kind::Pubsub => ("pubsub", "pubsub.in-memory", BTreeMap::new()),
        Kind::Lock => ("lockstore", "lock.in-memory", BTreeMap::new()),
        Kind::OutputBinding
        | Kind::InputBinding
        | Kind::SecretStore
        | Kind::Configuration
        | Kind::Crypto
        | Kind::Conversation => return None,
    };
    Some(Component {
        name: name.to_owned(),
        type_name: type_name.to_owned(),
        metadata,
        metadata_lines: BTreeMap::new(),
        secret_names: BTreeSet::new(),
        file: PathBuf::new(),
        line: 0,
    })
}
