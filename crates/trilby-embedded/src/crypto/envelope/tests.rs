use bytes::Bytes;
use proptest::prelude::*;
use zeroize::Zeroizing;

use super::*;
use crate::crypto::key::KeyWrap;

const CIPHERS: [Cipher; 2] = [Cipher::AesGcm, Cipher::ChaCha20Poly1305];
const CODED: usize = SEGMENT_BYTES + 16;

fn file_key(byte: u8) -> FileKey {
    FileKey::new(Zeroizing::new([byte; FILE_KEY_BYTES]))
}

fn manifest(cipher: Cipher) -> Manifest {
    Manifest {
        key_name: "kek".to_owned(),
        algorithm: KeyWrap::Aes256Kw,
        wrapped: vec![1; 40],
        cipher,
        nonce_prefix: NoncePrefix(*b"prefix7"),
    }
}

fn data(length: usize) -> Vec<u8> {
    (0..length).map(|i| u8::try_from(i % 253).unwrap()).collect()
}

/// Cuts bytes at the places that remain when they are taken modulo the length.
fn cut<'a>(bytes: &'a [u8], places: &[usize]) -> Vec<&'a [u8]> {
    let mut places: Vec<_> = places.iter().map(|place| place % (bytes.len() + 1)).collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

fn header(cipher: Cipher) -> Vec<u8> {
    manifest(cipher).seal(&file_key(5)).unwrap().0
}

fn encrypt(cipher: Cipher, pieces: &[&[u8]]) -> Vec<u8> {
    let (mut message, mut codec) = manifest(cipher).seal(&file_key(5)).unwrap();
    for piece in pieces {
        codec.push(piece, &mut message).unwrap();
    }
    codec.finish(&mut message).unwrap();
    message
}

/// What comes out until the end or the first fault, with the fault.
fn decrypt(pieces: &[&[u8]]) -> (Vec<u8>, Result<(), Fault>) {
    let mut out = Vec::new();
    let result = try_decrypt(pieces, &mut out);
    (out, result)
}

fn try_decrypt(pieces: &[&[u8]], out: &mut Vec<u8>) -> Result<(), Fault> {
    let mut reader = HeaderReader::default();
    let mut codec = None;
    for piece in pieces {
        let mut piece = Bytes::copy_from_slice(piece);
        if codec.is_none() {
            let Some(header) = reader.push(&mut piece)? else { continue };
            codec = Some(header.open(Some(&file_key(5)))?);
        }
        codec.as_mut().unwrap().push(&piece, out)?;
    }
    codec.ok_or_else(|| reader.finish())?.finish(out)
}

#[test]
fn every_size_goes_round() {
    let sizes = [
        0,
        1,
        SEGMENT_BYTES - 1,
        SEGMENT_BYTES,
        SEGMENT_BYTES + 1,
        2 * SEGMENT_BYTES,
        1 << 20,
        (1 << 20) + 1,
    ];
    for cipher in CIPHERS {
        for size in sizes {
            let message = encrypt(cipher, &[&data(size)]);
            let tags = size.div_ceil(SEGMENT_BYTES) * 16;
            assert_eq!(message.len(), header(cipher).len() + size + tags);
            let (found, result) = decrypt(&[&message]);
            assert_eq!(result, Ok(()));
            assert!(found == data(size), "{size}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn where_the_input_is_cut_does_not_matter(
        size in 0..200_000_usize,
        places in prop::collection::vec(any::<usize>(), 0..12),
        more in prop::collection::vec(0..300_usize, 0..12),
    ) {
        let data = data(size);
        let message = encrypt(Cipher::AesGcm, &[&data]);
        prop_assert!(encrypt(Cipher::AesGcm, &cut(&data, &places)) == message);
        let places: Vec<_> = places.into_iter().chain(more).collect();
        let (found, result) = decrypt(&cut(&message, &places));
        prop_assert_eq!(result, Ok(()));
        prop_assert!(found == data);
    }

    /// Wherever one bit is turned, what comes out is right as far as it goes, and then a fault.
    #[test]
    fn every_bit_counts(place in any::<usize>(), bit in 0..8_u8) {
        let data = data(150_000);
        let mut message = encrypt(Cipher::ChaCha20Poly1305, &[&data]);
        let place = place % message.len();
        let whole = place.saturating_sub(header(Cipher::ChaCha20Poly1305).len()) / CODED;
        message[place] ^= 1 << bit;
        let (found, result) = decrypt(&[&message]);
        prop_assert!(result.is_err());
        prop_assert!(found == data[..whole * SEGMENT_BYTES]);
    }

    #[test]
    fn a_message_that_ends_too_early_is_a_fault(length in any::<usize>()) {
        let data = data(150_000);
        let message = encrypt(Cipher::AesGcm, &[&data]);
        let length = length % message.len();
        // The scheme's one gap: without any segment it is an empty message.
        prop_assume!(length != header(Cipher::AesGcm).len());
        let (found, result) = decrypt(&[&message[..length]]);
        prop_assert!(result.is_err());
        prop_assert!(data.starts_with(&found));
    }

    #[test]
    fn whatever_comes_in_is_answered(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        start in 0..4_usize,
    ) {
        let header = header(Cipher::AesGcm);
        let starts: [&[u8]; 4] = [b"", b"dapr.io/enc/v1\n", &header[..60], &header];
        let (found, result) = decrypt(&[starts[start], &bytes]);
        prop_assert!(found.is_empty());
        prop_assert_eq!(result.is_ok(), start == 3 && bytes.is_empty());
    }

    #[test]
    fn any_key_name_comes_back(name in any::<String>()) {
        let made = Manifest { key_name: name.clone(), ..manifest(Cipher::AesGcm) };
        let (header, _) = made.seal(&file_key(5)).unwrap();
        let header = HeaderReader::default().push(&mut header.into()).unwrap().unwrap();
        prop_assert_eq!(&header.manifest.key_name, &name);
        header.open(Some(&file_key(5))).unwrap();
    }
}

#[test]
fn segments_stay_where_they_are() {
    let data = data(3 * SEGMENT_BYTES);
    for cipher in CIPHERS {
        let message = encrypt(cipher, &[&data]);
        let (header, body) = message.split_at(header(cipher).len());
        let segments: Vec<_> = body.chunks(CODED).collect();
        let [one, two, three] = segments[..] else { panic!("not three segments") };
        let table: [(&[&[u8]], usize, u32); 8] = [
            (&[header, two, one, three], 0, 0),
            (&[header, one, three, two], 1, 1),
            (&[header, one, three], 1, 1),
            (&[header, one, two], 1, 1),
            (&[header, one], 0, 0),
            (&[header, one, one, two, three], 1, 1),
            (&[header, one, two, three, three], 2, 2),
            (&[header, one, two, three, b"x"], 2, 2),
        ];
        for (pieces, good, bad) in table {
            let (found, result) = decrypt(pieces);
            assert_eq!(result, Err(Fault::Segment(bad)));
            assert!(found == data[..good * SEGMENT_BYTES]);
        }
    }
}

#[test]
fn another_file_key_opens_nothing() {
    let open = |file_key: Option<&FileKey>| {
        let mut message = Bytes::from(header(Cipher::AesGcm));
        let header = HeaderReader::default().push(&mut message).unwrap().unwrap();
        header.open(file_key).map(drop)
    };
    assert_eq!(open(Some(&file_key(5))), Ok(()));
    assert_eq!(open(Some(&file_key(6))), Err(Fault::Signature));
    assert_eq!(open(None), Err(Fault::Signature));
}

#[test]
fn nothing_comes_out_after_a_fault() {
    let message = encrypt(Cipher::AesGcm, &[&data(4 * SEGMENT_BYTES)]);
    let mut message = Bytes::from(message);
    let header = HeaderReader::default().push(&mut message).unwrap().unwrap();
    let mut codec = header.open(Some(&file_key(5))).unwrap();
    let mut out = Vec::new();
    let mut changed = message[..CODED + 1].to_vec();
    changed[9] ^= 1;
    let fault = Err(Fault::Segment(0));
    assert_eq!(codec.push(&changed, &mut out), fault);
    assert_eq!(codec.push(&message[CODED + 1..], &mut out), fault);
    assert_eq!(codec.finish(&mut out), fault);
    assert!(out.is_empty());
}

#[test]
fn there_is_an_end_to_the_segments() {
    let (_, mut codec) = manifest(Cipher::AesGcm).seal(&file_key(5)).unwrap();
    codec.skip_to(u32::MAX);
    let mut out = Vec::new();
    codec.push(&data(SEGMENT_BYTES), &mut out).unwrap();
    let mut last = Vec::new();
    codec.finish(&mut last).unwrap();
    assert_eq!(last.len(), CODED);
    let (_, mut codec) = manifest(Cipher::AesGcm).seal(&file_key(5)).unwrap();
    codec.skip_to(u32::MAX);
    codec.push(&data(SEGMENT_BYTES + 1), &mut out).unwrap();
    assert_eq!(codec.finish(&mut out), Err(Fault::TooLarge));
}

#[test]
fn a_header_is_never_longer_than_its_reader_takes() {
    let made = |length| {
        let key_name = "k".repeat(length);
        Manifest { key_name, ..manifest(Cipher::AesGcm) }.seal(&file_key(5)).map(|made| made.0)
    };
    let rest = made(0).unwrap().len() + r#""k":"","#.len();
    let longest = made(SEGMENT_BYTES - rest).unwrap();
    assert_eq!(longest.len(), SEGMENT_BYTES);
    assert!(HeaderReader::default().push(&mut longest.into()).unwrap().is_some());
    assert_eq!(made(SEGMENT_BYTES - rest + 1), Err(Fault::HeaderTooLong));
}

#[test]
fn keys_are_not_shown() {
    let (_, codec) = manifest(Cipher::AesGcm).seal(&file_key(0x2a)).unwrap();
    let shown = format!("{:?} {codec:?}", file_key(0x2a));
    assert_eq!(shown, "FileKey(..) Segments { direction: Encrypt, next: Ok(0), .. }");
}
