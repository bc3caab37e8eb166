//! A guest's output, in whatever pieces: the decoder says the same as for the whole.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use trilby_cgi::{Decoder, DecoderLimits, OutputError, Progress};

/// Status, headers, and all of the body that came, or the error.
type Decoded = Result<(u16, http::HeaderMap, Vec<u8>), OutputError>;

fn decode(pieces: &[&[u8]]) -> Decoded {
    let mut decoder = Decoder::new(DecoderLimits::default());
    let mut pieces = pieces.iter();
    while let Some(piece) = pieces.next() {
        match decoder.push(Bytes::copy_from_slice(piece))? {
            Progress::NeedMore => {}
            Progress::Head(head, rest) => {
                let mut body = rest.to_vec();
                pieces.for_each(|piece| body.extend_from_slice(piece));
                return Ok((head.status.as_u16(), head.headers, body));
            }
        }
    }
    Err(decoder.finish())
}

fuzz_target!(|input: (Vec<u8>, u8)| {
    let (output, size) = input;
    let size = usize::from(size).max(1);
    let pieces: Vec<&[u8]> = output.chunks(size).collect();
    assert_eq!(decode(&pieces), decode(&[&output]));
});
