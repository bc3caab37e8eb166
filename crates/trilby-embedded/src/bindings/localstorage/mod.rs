//! `bindings.localstorage`: files below one folder.

mod operation;
mod path;

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Semaphore;
use trilby_dapr::Error as DaprError;
use trilby_dapr::messaging::{BindingReply, InvokeBinding};

use crate::component::Component;
use crate::{Error, refusals};
use operation::Operation;

/// Operations of one binding that are in the file system at the same time. The others wait, and
/// hold no thread meanwhile.
const OPERATIONS_MAX: usize = 16;

/// The binding. Whatever file name a guest gives, the file is below the root.
#[derive(Debug)]
pub(crate) struct LocalStorage {
    name: String,
    /// Absolute, with every symbolic link resolved.
    root: PathBuf,
    slots: Arc<Semaphore>,
}

impl LocalStorage {
    /// Opens the folder that the metadata `rootPath` names, and makes it if need be.
    pub(crate) fn open(component: &Component) -> Result<Self, Error> {
        let root_path = component.required("rootPath")?;
        let root = path::root(root_path).map_err(|problem| {
            let root_path = component.shown("rootPath", root_path);
            component.mistake_in("rootPath", format!("rootPath `{root_path}` {problem}"))
        })?;
        let slots = Arc::new(Semaphore::new(OPERATIONS_MAX));
        Ok(Self { name: component.name.clone(), root, slots })
    }

    /// Runs an operation. An operation that has begun runs to its end, also when the caller is
    /// gone.
    pub(crate) async fn invoke(&self, request: InvokeBinding) -> trilby_dapr::Result<BindingReply> {
        let operation =
            Operation::named(&request.operation, &self.name).map_err(|why| self.failed(&why))?;
        let slot = Arc::clone(&self.slots).acquire_owned().await;
        let slot = slot.map_err(|_| self.failed("the binding is closed"))?;
        let root = self.root.clone();
        let work = tokio::task::spawn_blocking(move || {
            // Held until the thread is done, however long the caller waits.
            let _slot = slot;
            operation.run(&root, &request)
        });
        match work.await {
            Ok(Ok(data)) => Ok(BindingReply { data, ..BindingReply::default() }),
            Ok(Err(why)) => Err(self.failed(&why)),
            Err(_) => Err(self.failed("the operation broke off")),
        }
    }

    fn failed(&self, why: &str) -> DaprError {
        refusals::output_binding(&self.name, why)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use bytes::Bytes;
    use trilby_dapr::Code;

    use super::*;

    fn component(root_path: &str) -> Component {
        Component::for_test("files", "bindings.localstorage", &[("rootPath", root_path)], 4)
    }

    fn open(root: &Path) -> LocalStorage {
        LocalStorage::open(&component(root.to_str().unwrap())).unwrap()
    }

    async fn invoke(
        storage: &LocalStorage,
        operation: &str,
        file: &str,
        data: &str,
    ) -> Result<String, String> {
        let file = Some(("fileName".to_owned(), file.to_owned())).filter(|(_, f)| !f.is_empty());
        let reply = storage.invoke(InvokeBinding {
            binding: "files".to_owned(),
            operation: operation.to_owned(),
            data: Bytes::copy_from_slice(data.as_bytes()),
            metadata: file.into_iter().collect(),
        });
        match reply.await {
            Ok(reply) => Ok(String::from_utf8(reply.data.to_vec()).unwrap()),
            Err(error) => {
                assert_eq!(error.code, Code::Internal);
                assert_eq!(error.reason, "ERR_INVOKE_OUTPUT_BINDING");
                Err(error.message)
            }
        }
    }

    #[tokio::test]
    async fn files_are_created_read_listed_and_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let storage = open(&folder.path().join("made/here"));
        let root = storage.root.to_str().unwrap().to_owned();
        assert_eq!(invoke(&storage, "list", "", "").await.unwrap(), "null");
        let created = invoke(&storage, "create", "d/x.txt", "some text!").await.unwrap();
        assert_eq!(created, r#"{"fileName":"d/x.txt"}"#);
        assert_eq!(invoke(&storage, "get", "d/x.txt", "").await.unwrap(), "some text!");
        invoke(&storage, "create", "a", "-").await.unwrap();
        let listed = invoke(&storage, "list", "", "").await.unwrap();
        assert_eq!(listed, format!(r#"["{root}/a","{root}/d/x.txt"]"#));
        assert_eq!(
            invoke(&storage, "list", "d", "").await.unwrap(),
            format!(r#"["{root}/d/x.txt"]"#)
        );
        assert_eq!(invoke(&storage, "delete", "d/x.txt", "").await.unwrap(), "");
        let unnamed = invoke(&storage, "create", "", "-").await.unwrap();
        assert_eq!(unnamed.len(), r#"{"fileName":""}"#.len() + 36, "a UUID: {unnamed}");
    }

    #[tokio::test]
    async fn failures_read_as_daprds() {
        let folder = tempfile::tempdir().unwrap();
        let storage = open(folder.path());
        let root = storage.root.to_str().unwrap().to_owned();
        std::fs::create_dir_all(storage.root.join("full/of")).unwrap();
        std::fs::write(storage.root.join("file"), "-").unwrap();
        let table = [
            ("get", "x", format!("file not found: {root}/x")),
            (
                "get",
                "full",
                format!("error reading file {root}/full: read {root}/full: is a directory"),
            ),
            (
                "get",
                "file/x",
                format!("error opening path {root}/file/x: open {root}/file/x: not a directory"),
            ),
            (
                "create",
                "full",
                format!("error creating file {root}/full: open {root}/full: is a directory"),
            ),
            (
                "create",
                "file/q/x",
                format!(
                    "error creating directory {root}/file/q: mkdir {root}/file: not a directory"
                ),
            ),
            (
                "list",
                "x",
                format!(
                    "error getting stats for path {root}/x: stat {root}/x: \
                     no such file or directory"
                ),
            ),
            (
                "list",
                "file",
                format!(
                    "unable to list files as the file specified is not a directory: {root}/file"
                ),
            ),
            (
                "delete",
                "x",
                format!("error deleting file {root}/x: remove {root}/x: no such file or directory"),
            ),
            (
                "delete",
                "full",
                format!("error deleting file {root}/full: remove {root}/full: directory not empty"),
            ),
            (
                "frob",
                "",
                "binding files does not support operation frob. supported operations:create get \
                 list delete"
                    .to_owned(),
            ),
            ("", "", "operation field is missing from request".to_owned()),
        ];
        for (operation, file, why) in table {
            let found = invoke(&storage, operation, file, "").await.unwrap_err();
            assert_eq!(found, format!("error invoking output binding files: {why}"));
        }
    }

    #[tokio::test]
    async fn no_name_and_no_link_leads_out_of_the_root() {
        let folder = tempfile::tempdir().unwrap();
        let storage = open(&folder.path().join("root"));
        std::fs::write(folder.path().join("secret"), "hunter2").unwrap();
        let link = |target: &Path, name: &str| {
            std::os::unix::fs::symlink(target, storage.root.join(name)).unwrap();
        };
        link(folder.path(), "absolute");
        link(Path::new("../.."), "relative");
        link(&folder.path().join("secret"), "file");
        link(Path::new("loop"), "loop");
        let names = [
            "../secret",
            "a/../../secret",
            "/../secret",
            "absolute/secret",
            "relative/secret",
            "file",
            "relative/../../secret",
            "loop",
            "loop/x",
        ];
        for name in names {
            let found = invoke(&storage, "get", name, "").await;
            assert!(found.is_err(), "{name}: {found:?}");
            // Whether or not the name can be written, nothing outside changes.
            let _ = invoke(&storage, "create", name, "overwritten!").await;
            let _ = invoke(&storage, "delete", name, "").await;
            let secret = std::fs::read_to_string(folder.path().join("secret")).unwrap();
            assert_eq!(secret, "hunter2", "{name}");
        }
        let listed = invoke(&storage, "list", "relative", "").await.unwrap();
        let listed: Vec<PathBuf> = serde_json::from_str(&listed).unwrap();
        assert!(listed.iter().all(|file| file.starts_with(&storage.root)), "{listed:?}");
    }

    #[test]
    fn the_root_must_be_a_sensible_folder() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/proc/self", &link).unwrap();
        let table = [
            ("/proc/self/x".to_owned(), "points to a disallowed location"),
            ("/tmp/../sys/x".to_owned(), "points to a disallowed location"),
            (format!("{}/x", link.display()), "points to a disallowed location"),
            (file.display().to_string(), "is a file and not a folder"),
        ];
        for (root_path, problem) in table {
            let error = LocalStorage::open(&component(&root_path)).unwrap_err().to_string();
            let expected = format!("c.yaml:4: rootPath `{root_path}` {problem}");
            assert!(error.starts_with(&expected), "{error}");
        }
        let mut secret = component("/proc/hunter2");
        secret.secret_names.insert("rootPath".to_owned());
        let error = LocalStorage::open(&secret).unwrap_err().to_string();
        assert!(error.starts_with("c.yaml:4: rootPath `(from a secret)` points to"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
        let error = LocalStorage::open(&component("")).unwrap_err().to_string();
        assert_eq!(error, "c.yaml:4: a bindings.localstorage needs the metadata `rootPath`");
    }
}
