use super::*;
use crate::crypto::envelope::FileKey;

/// What a JWK of the tests holds.
const K: &str = "AwoRGB8mLTQ7QklQV15lbHN6gYiPlp2kq7K5wMfO1dw";

fn key(content: &[u8], file: &str) -> Result<Key, Problem> {
    Key::parse(content, Form::of_file(Path::new(file)))
}

fn bytes() -> Vec<u8> {
    (0..32).map(|i| 7 * i + 3).collect()
}

#[test]
fn symmetric_keys_are_read_in_all_of_daprds_forms() {
    let jwk = format!(r#"{{"kty":"oct","k":"{K}"}}"#);
    let padded = format!(r#"{{"kty":"oct","k":"{K}=","kid":"x","key_ops":"wrapKey"}}"#);
    let lines = format!("{}\r\n{}=\n\n", &K[..20], &K[20..]);
    let table: [(&[u8], &str); 9] = [
        (&bytes(), "raw"),
        (&bytes(), "raw.bin"),
        (K.as_bytes(), "base64"),
        (lines.as_bytes(), "base64"),
        (jwk.as_bytes(), "jwk"),
        (jwk.as_bytes(), "key.json"),
        (jwk.as_bytes(), "key.JSON"),
        (padded.as_bytes(), "padded"),
        (b"  {\"k\":\"AwoRGB8mLTQ7QklQV15lbHN6gYiPlp2kq7K5wMfO1dw\",\"kty\":\"oct\"}", "j.json"),
    ];
    for (content, file) in table {
        assert_eq!(*key(content, file).unwrap().bytes, bytes(), "{}", content.escape_ascii());
    }
}

#[test]
fn what_could_be_two_things_is_what_daprd_takes_it_for() {
    let parsed = |content: &[u8]| key(content, "key").unwrap().bytes.to_vec();
    // All of it is base64.
    assert_eq!(parsed(&[b'A'; 32]), [0; 24]);
    assert_eq!(parsed(b"_-_-"), [0xff, 0xef, 0xfe]);
    assert_eq!(parsed(b"+/+/"), [0xfb, 0xff, 0xbf]);
    // Bits that are left over do not count.
    assert_eq!(parsed(b"AB"), [0]);
    // A carriage return behind the padding makes it no base64.
    assert_eq!(parsed(b"AAA=\r\n"), b"AAA=\r\n");
    // Of the length of an AES key, it is one, whatever it begins with.
    let braces = [b'{'; 16];
    assert_eq!(parsed(&braces), braces);
    assert!(matches!(key(&[b'{'; 17], "key"), Err(Problem::Parse(_))));
    assert_eq!(parsed(b"\n"), b"");
}

#[test]
fn asymmetric_keys_are_recognised() {
    let table: [(&[u8], &str); 6] = [
        (b"-----BEGIN PRIVATE KEY-----\n", "key"),
        (b"-----BEGIN RSA PRIVATE KEY-----\n", "key.pem"),
        (b"comment\n-----BEGIN PUBLIC KEY-----\n", "key.PEM"),
        (br#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#, "key"),
        (br#"{"kty":"EC","crv":"P-256"}"#, "key.json"),
        (br#"{"kty":"OKP","crv":"Ed25519"}"#, "key"),
    ];
    for (content, file) in table {
        assert_eq!(key(content, file).err(), Some(Problem::Asymmetric), "{file}");
    }
}

#[test]
fn what_is_no_key_is_refused_and_not_shown() {
    let table: [(&[u8], &str, &str); 8] = [
        (b"", "key", "key is empty"),
        (b"hunter2", "k.pem", "failed to parse PEM encoded key: failed to decode PEM data"),
        (b"\"hunter2\"", "k.json", "it is not a JSON Web Key, see line 1, column 9"),
        (br#"{"kty":"hunter2"}"#, "k", "the member `kty` is none of `oct`, `RSA`, `EC`, `OKP`"),
        (br#"{"kty":"oct","kid":"hunter2"}"#, "k", "the member `k` is missing"),
        (br#"{"kty":"oct","k":"hunter2!"}"#, "k", "the member `k` is not base64url"),
        (
            br#"{"kty":"oct","k":"aHVudGVyMg","key_ops":["hunter2"]}"#,
            "k",
            "`key_ops` is not a list of sign, verify, encrypt, decrypt, wrapKey, unwrapKey, \
             deriveKey, deriveBits",
        ),
        (
            br#"{"kty":"oct","k":"aHVudGVyMg","#,
            "k",
            "it is not a JSON Web Key, see line 1, column 30",
        ),
    ];
    for (content, file, why) in table {
        let error = key(content, file).unwrap_err();
        assert_eq!(error, Problem::Parse(why.to_owned()));
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    let shown = format!("{:?}", key(b"hunter2!", "k").unwrap());
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn a_jwk_says_what_its_key_is_for() {
    let wrap = |members: &str| {
        let jwk = format!(r#"{{"kty":"oct","k":"{K}"{members}}}"#);
        let file_key = FileKey::random().unwrap();
        let key = key(jwk.as_bytes(), "k").unwrap();
        let wrapped = key.wrap(KeyWrap::Aes256Kw, &file_key)?;
        assert_eq!(wrapped.len(), 40);
        let unwrapped = key.unwrap(KeyWrap::Aes256Kw, &wrapped)?;
        assert_eq!(unwrapped.bytes(), file_key.bytes());
        Ok(())
    };
    let table = [
        ("", Ok(())),
        (r#","use":"enc","alg":"A256KW","key_ops":["wrapKey","unwrapKey"]"#, Ok(())),
        (r#","use":"","alg":"","key_ops":[]"#, Ok(())),
        (r#","key_ops":["encrypt","unwrapKey"]"#, Err(Problem::Operation("wrapKey"))),
        (r#","key_ops":["wrapKey"]"#, Err(Problem::Operation("unwrapKey"))),
        (r#","use":"sig""#, Err(Problem::Operation("wrapKey"))),
        (r#","alg":"A128KW""#, Err(Problem::Algorithm("A256KW"))),
    ];
    for (members, expected) in table {
        assert_eq!(wrap(members), expected, "{members}");
    }
}

#[test]
fn only_keys_of_256_bits_wrap() {
    let file_key = FileKey::random().unwrap();
    for (length, good) in [(0, false), (16, false), (24, false), (31, false), (32, true)] {
        let key = Key { bytes: Zeroizing::new(vec![0xff; length]), uses: Uses::default() };
        assert_eq!(key.wrap(KeyWrap::Aes256Kw, &file_key).is_ok(), good, "{length}");
        assert_eq!(
            key.unwrap(KeyWrap::Aes256Kw, &[0; 40]).unwrap_err() == Problem::Integrity,
            good
        );
    }
}

/// RFC 3394, section 4.6.
#[test]
fn wrapping_is_that_of_the_rfc() {
    let data = "00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F";
    let expected =
        "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21";
    let bytes = |hex: &str| -> Vec<u8> {
        let digits = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
        digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
    };
    let key = Key { bytes: Zeroizing::new((0..32).collect()), uses: Uses::default() };
    let file_key = FileKey::new(Zeroizing::new(bytes(data).try_into().unwrap()));
    let wrapped = key.wrap(KeyWrap::Aes256Kw, &file_key).unwrap();
    assert_eq!(wrapped, bytes(expected));
    for length in [0, 8, 32, 39] {
        let cut = &wrapped[..length];
        assert_eq!(key.unwrap(KeyWrap::Aes256Kw, cut).unwrap_err(), Problem::Integrity);
    }
}

#[test]
fn algorithms_have_names_and_numbers() {
    let table = [
        ("a256kw", Some(1)),
        ("AES", Some(1)),
        ("A128CBC-NOPAD", Some(2)),
        ("A192CBC-NOPAD", Some(3)),
        ("A256CBC-NOPAD", Some(4)),
        ("RSA-OAEP-256", Some(5)),
        ("rsa", Some(5)),
        ("A128KW", None),
        ("", None),
    ];
    for (name, number) in table {
        let found = KeyWrap::named(name).ok();
        assert_eq!(found.map(KeyWrap::number), number, "{name}");
        assert_eq!(number.and_then(KeyWrap::numbered), found, "{name}");
    }
    assert_eq!(KeyWrap::numbered(0), None);
    assert_eq!(KeyWrap::numbered(6), None);
}
