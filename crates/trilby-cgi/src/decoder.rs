//! The incremental decoder of a guest's answer.

use bytes::{Bytes, BytesMut};

use crate::{Head, OutputError, head};

/// The bounds of a response's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecoderLimits {
    /// The header block with its empty line, in bytes.
    pub header_bytes_max: usize,
    /// Lines in the header block.
    pub headers_max: usize,
}

/// What HTTP servers commonly allow a client: 64 KiB and 100 headers.
impl Default for DecoderLimits {
    fn default() -> Self {
        Self { header_bytes_max: 64 << 10, headers_max: 100 }
    }
}

/// Reads the head of a response from a guest's output, whatever its chunks.
#[derive(Debug)]
pub struct Decoder {
    limits: DecoderLimits,
    /// The start of a head that came in several chunks.
    begun: BytesMut,
    place: Place,
}

/// What a chunk brought.
#[derive(Debug, PartialEq, Eq)]
pub enum Progress {
    /// The head is not complete yet.
    NeedMore,
    /// The head, and what follows it in the chunk: the start of the body.
    Head(Head, Bytes),
}

/// Where in a line the output has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Start,
    /// After a CR at the start.
    StartCr,
    Within,
}

impl Decoder {
    /// A decoder of one response.
    #[must_use]
    pub fn new(limits: DecoderLimits) -> Self {
        Self { limits, begun: BytesMut::new(), place: Place::Start }
    }

    /// Takes the next bytes of output. After a [`Progress::Head`] the decoder is done: what comes
    /// then is the body.
    ///
    /// # Errors
    /// The output is not a CGI response. Headers are judged together once the empty line is
    /// there, so the error does not depend on how the output was cut into chunks.
    pub fn push(&mut self, mut chunk: Bytes) -> Result<Progress, OutputError> {
        let limits = self.limits;
        let room = limits.header_bytes_max.saturating_sub(self.begun.len());
        match self.end_of_block(chunk.get(..room).unwrap_or(&chunk)) {
            Some(end) => {
                let block = chunk.split_to(end);
                let head = if self.begun.is_empty() {
                    head::parse(&block, limits.headers_max)?
                } else {
                    self.begun.extend_from_slice(&block);
                    head::parse(&std::mem::take(&mut self.begun), limits.headers_max)?
                };
                Ok(Progress::Head(head, chunk))
            }
            None if chunk.len() > room => {
                Err(OutputError::HeadTooLarge { bytes_max: limits.header_bytes_max })
            }
            None => {
                self.begun.extend_from_slice(&chunk);
                Ok(Progress::NeedMore)
            }
        }
    }

    /// What is wrong with an output that ended before its head was complete.
    #[must_use]
    pub fn finish(self) -> OutputError {
        if self.begun.is_empty() { OutputError::Empty } else { OutputError::NoBlankLine }
    }

    /// Where the empty line ends, counted from the start of this chunk.
    fn end_of_block(&mut self, chunk: &[u8]) -> Option<usize> {
        for (end, byte) in (1..).zip(chunk) {
            self.place = match (self.place, byte) {
                (Place::Start | Place::StartCr, b'\n') => {
                    self.place = Place::Start;
                    return Some(end);
                }
                (Place::Within, b'\n') => Place::Start,
                (Place::Start, b'\r') => Place::StartCr,
                _ => Place::Within,
            };
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The head and the body of an output that comes in these chunks.
    fn decode(limits: DecoderLimits, chunks: &[&[u8]]) -> Result<(Head, Vec<u8>), OutputError> {
        let mut decoder = Decoder::new(limits);
        let mut chunks = chunks.iter();
        while let Some(chunk) = chunks.next() {
            if let Progress::Head(head, rest) = decoder.push(Bytes::copy_from_slice(chunk))? {
                let mut body = rest.to_vec();
                chunks.for_each(|chunk| body.extend_from_slice(chunk));
                return Ok((head, body));
            }
        }
        Err(decoder.finish())
    }

    fn decode_whole(output: &[u8]) -> Result<(Head, Vec<u8>), OutputError> {
        decode(DecoderLimits::default(), &[output])
    }

    #[test]
    fn the_first_empty_line_ends_the_head() {
        let table: [(&[u8], &[u8]); 6] = [
            (b"Status: 200\n\nbody", b"body"),
            (b"Status: 200\r\n\r\nbody", b"body"),
            (b"Status: 200\n\r\nbody", b"body"),
            (b"Status: 200\r\n\nbody", b"body"),
            (b"Status: 200\n\n", b""),
            (b"Status: 200\n\n\n\r\n\xff\0", b"\n\r\n\xff\0"),
        ];
        for (output, body) in table {
            let (head, rest) = decode_whole(output).unwrap();
            assert_eq!(head.status, 200);
            assert_eq!(rest, body, "{}", output.escape_ascii());
        }
    }

    #[test]
    fn an_output_without_an_empty_line_is_no_response() {
        let table: [(&[u8], OutputError); 7] = [
            (b"", OutputError::Empty),
            (b"hello", OutputError::NoBlankLine),
            (b"Status: 200\n", OutputError::NoBlankLine),
            (b"Status: 200\r\n\r", OutputError::NoBlankLine),
            (b"\r", OutputError::NoBlankLine),
            (b"\n", OutputError::NoCgiHeader),
            (b"\r\nbody", OutputError::NoCgiHeader),
        ];
        for (output, error) in table {
            assert_eq!(decode_whole(output).unwrap_err(), error, "{}", output.escape_ascii());
        }
    }

    #[test]
    fn the_head_is_bounded() {
        let limits = DecoderLimits { header_bytes_max: 13, headers_max: 9 };
        assert!(decode(limits, &[b"Status: 200\n\nbody of any length"]).is_ok());
        assert!(decode(limits, &[b"Status: 200\n", b"\n", b"body of any length"]).is_ok());
        let too_large = OutputError::HeadTooLarge { bytes_max: 13 };
        let table: [&[&[u8]]; 4] = [
            &[b"Status: 200 \n\n"],
            &[b"Status: 200 \n", b"\n"],
            &[b"no empty line at all"],
            &[b"Status: 200\n", b"X-A: 1"],
        ];
        for chunks in table {
            assert_eq!(decode(limits, chunks).unwrap_err(), too_large);
        }
        assert_eq!(decode(limits, &[b"Status: 200\r\n"]).unwrap_err(), OutputError::NoBlankLine);
    }

    #[test]
    fn messages_repeat_little_of_the_output() {
        let long = "x".repeat(9000);
        let table = [
            format!("{long}\n\n"),
            format!("{long}?: 1\n\n"),
            format!("X {long}: 1\n\n"),
            format!("{long}: \u{1}\n\n"),
            format!("proxy-{long}: 1\n\n"),
            format!("Status: {long}\n\n"),
            format!("Content-Length: {long}\n\n"),
        ];
        for output in table {
            let message = decode_whole(output.as_bytes()).unwrap_err().to_string();
            assert!(message.matches('x').count() < 100, "{message}");
        }
    }

    /// Outputs that are nearly responses, and some that are far from it.
    fn an_output() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            prop::sample::select(vec![
                "Status: 200",
                "Status: 304 x",
                "Status: 1",
                "Content-Type: a/b",
                "Location: /x",
                "Set-Cookie: a=1",
                "Content-Length: 7",
                "Transfer-Encoding: chunked",
                "X",
                ":",
                " ",
                "\t",
                "HTTP/1.1 200 OK",
                "\r",
                "\n",
                "\n",
                "\r\n",
                "\r\n",
            ])
            .prop_map(|text| text.as_bytes().to_vec()),
            prop::collection::vec(any::<u8>(), 0..4),
        ];
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn chunks_make_no_difference(
            output in an_output(),
            mut cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
            header_bytes_max in 0..80_usize,
            headers_max in 0..6_usize,
        ) {
            let limits = DecoderLimits { header_bytes_max, headers_max };
            let mut cuts: Vec<usize> =
                cuts.drain(..).map(|cut| cut.index(output.len() + 1)).collect();
            cuts.sort_unstable();
            let mut chunks = Vec::new();
            let mut start = 0;
            for cut in cuts.into_iter().chain([output.len()]) {
                chunks.push(&output[start..cut]);
                start = cut;
            }
            prop_assert_eq!(decode(limits, &chunks), decode(limits, &[&output]));
            let bytes: Vec<&[u8]> = output.chunks(1).collect();
            prop_assert_eq!(decode(limits, &bytes), decode(limits, &[&output]));
        }

        #[test]
        fn no_output_breaks_the_decoder(output in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Err(error) = decode_whole(&output) {
                let message = error.to_string();
                prop_assert!(message.len() < 400 && !message.contains(char::is_control));
            }
        }

        #[test]
        fn a_good_head_is_sound(output in an_output()) {
            if let Ok((head, _)) = decode_whole(&output) {
                prop_assert!((200..600).contains(&head.status.as_u16()));
                prop_assert!(!head.headers.contains_key("status"));
                prop_assert!(!head.headers.contains_key("transfer-encoding"));
            }
        }
    }
}
