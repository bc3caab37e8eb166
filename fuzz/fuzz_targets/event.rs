//! Whatever comes as an envelope is read or refused.

#![no_main]

use libfuzzer_sys::fuzz_target;
use trilby_dapr::event::Event;

fuzz_target!(|envelope: &[u8]| {
    let _ = Event::parse(envelope);
});
