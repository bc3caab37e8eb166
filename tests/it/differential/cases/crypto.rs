//! Encryption.

use crate::differential::case::{Case, Protocol, case, steps};
use crate::differential::steps::{decrypt, encrypt, rpc, send, tamper};

/// Round trips, and what fails.
pub(in crate::differential) fn all() -> Vec<Case> {
    let round = |name: &str, data: bytes::Bytes| {
        let steps = steps![encrypt("aes", "A256KW", data), decrypt("aes", "@envelope")];
        case(format!("crypto/{name}"), steps)
    };
    let wrapped = |algorithm: &'static str| {
        let steps = steps![encrypt("aes", algorithm, "text"), decrypt("aes", "@envelope")];
        case(format!("crypto/algorithm {algorithm:?}"), steps)
    };
    let ciphered = |cipher: &'static str| {
        let encrypt = encrypt("aes", "A256KW", "text").cipher(cipher);
        case(format!("crypto/cipher {cipher:?}"), steps![encrypt, decrypt("aes", "@envelope")])
    };
    vec![
        round("text", "some text".into()),
        round("nothing", "".into()),
        round("bytes", vec![0, 255, 10].into()),
        round("a segment", vec![7; 65_536].into()),
        round("more than a segment", vec![7; 65_537].into()),
        round("many segments", vec![7; 300_000].into()),
        wrapped("A256KW"),
        wrapped("AES"),
        wrapped("a256kw"),
        wrapped("A128KW"),
        wrapped("A256CBC"),
        wrapped("RSA-OAEP-256").differs("crypto-asymmetric"),
        wrapped("NOPE"),
        wrapped(""),
        ciphered("aes-gcm"),
        ciphered("AES-GCM"),
        ciphered("chacha20-poly1305"),
        ciphered("nope"),
        case("crypto/unknown key", steps![encrypt("none", "A256KW", "text")])
            .differs("crypto-paths"),
        case("crypto/no key", steps![encrypt("", "A256KW", "text")]),
        case("crypto/key above the folder", steps![encrypt("../secrets", "A256KW", "text")]),
        case("crypto/unknown component", {
            steps![encrypt("aes", "A256KW", "text").component("none")]
        }),
        case("crypto/component of another kind", {
            steps![encrypt("aes", "A256KW", "text").component("memory")]
        }),
        case("crypto/decrypt with another key", {
            steps![encrypt("aes", "A256KW", "text"), decrypt("other", "@envelope")]
        }),
        case("crypto/decrypt without a key", {
            steps![encrypt("aes", "A256KW", "text"), decrypt("", "@envelope")]
        }),
        case("crypto/decrypt with an unknown key", {
            steps![encrypt("aes", "A256KW", "text"), decrypt("none", "@envelope")]
        }),
        case("crypto/decrypt with an unknown component", {
            steps![decrypt("aes", "text").component("none")]
        }),
        case("crypto/decrypt what is none", steps![decrypt("aes", "some text\n")]),
        case("crypto/decrypt nothing", steps![decrypt("aes", "")]),
        case("crypto/decrypt a header alone", steps![decrypt("aes", "dapr.io/enc/v1\n{}\nAAAA\n")]),
        case("crypto/tampered at the end", {
            let encrypted = encrypt("aes", "A256KW", "some text");
            steps![encrypted, tamper(1), decrypt("aes", "@envelope")]
        })
        .differs_over(Protocol::Http, "crypto-late"),
        case("crypto/tampered in the header", {
            let encrypted = encrypt("aes", "A256KW", "some text");
            steps![encrypted, tamper(60), decrypt("aes", "@envelope")]
        }),
        case("crypto/rpc without options", {
            steps![rpc("/dapr.proto.runtime.v1.Dapr/EncryptAlpha1", b"")]
        })
        .grpc_only(),
        case(
            "crypto/HTTP by POST",
            steps![send("POST", "/v1.0-alpha1/crypto/crypto/encrypt", "a")],
        )
        .http_only(),
        case("crypto/HTTP stable", steps![send("PUT", "/v1.0/crypto/crypto/encrypt", "a")])
            .http_only(),
        case("crypto/HTTP without headers", {
            steps![send("PUT", "/v1.0-alpha1/crypto/crypto/encrypt", "a")]
        })
        .http_only(),
    ]
}
