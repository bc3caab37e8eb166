//! A guest's output, in whatever pieces: the decoder says the same as for the whole, and a local
//! redirect leads to a path of this server.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use trilby_cgi::{Decoder, DecoderLimits, Head, OutputError, Progress};

/// The head, and all of the body that came, or the error.
type Decoded = Result<(Head, Vec<u8>), OutputError>;

fn decode(pieces: &[&[u8]]) -> Decoded {
    let mut decoder = Decoder::new(DecoderLimits::default());
    let mut pieces = pieces.iter();
    while let Some(piece) = pieces.next() {
        match decoder.push(Bytes::copy_from_slice(piece))? {
            Progress::NeedMore => {}
            Progress::Head(head, rest) => {
                let mut body = rest.to_vec();
                pieces.for_each(|piece| body.extend_from_slice(piece));
                return Ok((head, body));
            }
        }
    }
    Err(decoder.finish())
}

fuzz_target!(|input: (Vec<u8>, u8)| {
    let (output, size) = input;
    let size = usize::from(size).max(1);
    let pieces: Vec<&[u8]> = output.chunks(size).collect();
    let whole = decode(&[&output]);
    assert_eq!(decode(&pieces), whole);
    if let Ok((head, _)) = &whole
        && let Some(target) = head.local_redirect()
    {
        let parsed: http::uri::PathAndQuery = target.parse().unwrap();
        assert_eq!(parsed.as_str(), target);
        assert!(target.starts_with('/') && !target.starts_with("//"));
        assert_eq!((head.status.as_u16(), head.headers.len()), (302, 1));
    }
});
