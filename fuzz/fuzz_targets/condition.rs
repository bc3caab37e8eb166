//! Conditions of routing rules: any text, on any event.

#![no_main]

use libfuzzer_sys::fuzz_target;
use trilby_dapr::Condition;

fuzz_target!(|input: (&str, &str)| {
    let (text, event) = input;
    let Ok(condition) = Condition::parse(text) else { return };
    if let Ok(envelope) = serde_json::from_str(event) {
        // Whatever the answer is: no panic, and within the bound on work.
        let _ = condition.matches(&envelope);
    }
});
