//! Notes against vectors made by other implementations.

use super::*;

/// Key, text and signature published with Go's `sumdb/note`.
const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const PETER_SECRET: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const PETER_TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                          then you don't know what your problem is.\n";
const PETER_LINE: &str = "\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

/// A checkpoint that Go's checksum database published, and its well-known key.
const SUMDB: &str = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
const SUMDB_NOTE: &str = "go.sum database tree\n49189689\nftjbAOzaupaIvaPo/G+Dk63nxOZ2s1OPOKIaPtXs7S4=\n\n\
    \u{2014} sum.golang.org Az3grlKZssqRoMNPpZfKt0TphbbcF+pzXqElURJKRNFKfaUAgqeI5k2AORH0QAhg/ebRwyIqD/OqP4oLtLnNumvOBAM=\n";

fn own_key() -> SigningKey {
    SigningKey::from_seed("onus.example/log", [7; 32]).unwrap()
}

#[test]
fn signs_byte_for_byte_like_go() {
    let key = SigningKey::from_secret_text(PETER_SECRET).unwrap();
    assert_eq!(key.to_secret_text(), PETER_SECRET);
    assert_eq!(key.verifying_key().to_string(), PETER);
    assert_eq!(key.sign_text(PETER_TEXT), format!("{PETER_TEXT}\n{PETER_LINE}"));
    assert!(!format!("{key:?}").contains("AYEKFALV"));
}

#[test]
fn verifies_a_checkpoint_of_the_go_checksum_database() {
    let key: VerifyingKey = SUMDB.parse().unwrap();
    let checkpoint = verify_note(SUMDB_NOTE, &key).unwrap();
    assert_eq!(checkpoint.origin, "go.sum database tree");
    assert_eq!(checkpoint.size, 49_189_689);
    let altered = SUMDB_NOTE.replace("49189689", "49189688");
    assert!(matches!(verify_note(&altered, &key), Err(NoteError::BadSignature { .. })));
}

#[test]
fn other_signatures_are_ignored_but_must_be_well_formed() {
    let key = own_key();
    let note = key.sign_head(3, Hash::of_empty_log());
    let public = key.verifying_key();
    let cosigned = format!("{note}{PETER_LINE}");
    assert_eq!(verify_note(&cosigned, &public).unwrap().size, 3);
    assert!(matches!(verify_note(&format!("{PETER_TEXT}\n{PETER_LINE}"), &public), Err(NoteError::NotSigned { .. })));
    // Same name, other key: unknown, not bad.
    let namesake = SigningKey::from_seed("onus.example/log", [8; 32]).unwrap();
    assert!(matches!(verify_note(&note, &namesake.verifying_key()), Err(NoteError::NotSigned { .. })));
    assert!(verify_note(&format!("{note}x\n"), &public).is_err());
    assert!(verify_note(&note.repeat(2), &public).is_err());
}

#[test]
fn every_flipped_bit_of_a_note_is_refused() {
    let key = own_key();
    let note = key.sign_head(3, Hash::of_empty_log());
    let public = key.verifying_key();
    for position in 0..note.len() {
        for bit in 0..8 {
            let mut bytes = note.clone().into_bytes();
            bytes[position] ^= 1 << bit;
            if let Ok(altered) = String::from_utf8(bytes) {
                assert!(verify_note(&altered, &public).is_err(), "byte {position} bit {bit}");
            }
        }
    }
    for cut in 0..note.len() {
        if note.is_char_boundary(cut) {
            assert!(verify_note(&note[..cut], &public).is_err(), "cut at {cut}");
        }
    }
}

#[test]
fn keys_are_refused_when_mangled() {
    for end in 0..PETER.len() {
        assert!(PETER[..end].parse::<VerifyingKey>().is_err());
    }
    for (position, byte) in PETER.bytes().enumerate() {
        let mut bytes = PETER.as_bytes().to_vec();
        bytes[position] = byte + 1;
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.parse::<VerifyingKey>().is_err(), "{text}");
    }
    // An all-zero key is a point of small order.
    assert!(VerifyingKey::new("x", [0; 32]).is_err());
    for name in ["", "a b", "a+b", "a\u{a0}b", "a\nb"] {
        assert!(matches!(SigningKey::from_seed(name, [1; 32]), Err(NoteError::Name { .. })));
    }
}

#[test]
fn signs_only_for_its_own_log() {
    let key = own_key();
    let mut checkpoint = Checkpoint { origin: "onus.example/log".to_owned(), size: 5, root: Hash::of_empty_log() };
    let note = key.sign(&checkpoint).unwrap();
    assert_eq!(note, key.sign_head(5, Hash::of_empty_log()));
    assert_eq!(verify_note(&note, &key.verifying_key()).unwrap(), checkpoint);
    checkpoint.origin = "onus.example/other".to_owned();
    assert!(matches!(key.sign(&checkpoint), Err(NoteError::Origin { .. })));
}
