use std::io;
use std::sync::Mutex;

use super::*;

/// Where the log goes.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_call_is_told_without_keys_and_values() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let fake = Arc::new(Fake::default());
    run(
        &fake,
        &[
            ("dapr_state_v1.set", &[s("store"), s("hushed-key"), s(""), s("hushed-value")]),
            ("dapr_state_v1.delete", &[s("store"), s("hushed-key"), s("")]),
            ("dapr_jobs_v1.delete", &[s("j-hushed"), s("")]),
            ("dapr_secret_v1.get", &[s("vault"), s("hushed"), s("")]),
        ],
    )
    .await;
    let text = String::from_utf8(log.0.lock().unwrap().clone()).expect("text");
    let lines: Vec<_> = text.lines().filter(|line| line.contains("trilby::dapr")).collect();
    assert_eq!(lines.len(), 4, "{text}");
    for (line, parts) in lines.iter().zip([
        ["block=\"dapr_state_v1\"", "operation=\"set\"", "component=\"store\"", "outcome=\"OK\""],
        ["block=\"dapr_state_v1\"", "operation=\"delete\"", "component=\"store\"", "\"ABORTED\""],
        ["block=\"dapr_jobs_v1\"", "operation=\"delete\"", "component=\"\"", "outcome=\"OK\""],
        ["block=\"dapr_secret_v1\"", "\"get\"", "component=\"vault\"", "\"PERMISSION_DENIED\""],
    ]) {
        for part in parts.iter().chain(&["duration="]) {
            assert!(line.contains(part), "{part} in {line}");
        }
    }
    assert!(!text.contains("hushed"), "{text}");
}
