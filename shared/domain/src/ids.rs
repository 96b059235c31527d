//! Identities: whose, which bytes, which item. Strings become these at the edge and are not checked again behind it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::Digest as _;

/// Why a string is not the identity that it was taken for.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum IdError {
    /// A user is 1–64 characters of `A–Z a–z 0–9 . _ -`, not starting with a dot.
    #[error("'{0}' is not a user: 1 to 64 letters, digits, '.', '_' or '-', not starting with '.'")]
    User(String),
    /// A SHA-256 is 64 lowercase hexadecimal digits.
    #[error("'{0}' is not a SHA-256: 64 lowercase hexadecimal digits")]
    Sha256(String),
    /// A media id is 32 lowercase hexadecimal digits.
    #[error("'{0}' is not a media id: 32 lowercase hexadecimal digits")]
    Media(String),
}

/// Who owns a media item: 1–64 characters of `A–Z a–z 0–9 . _ -`, not starting with a dot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UserId(String);

/// The SHA-256 of an original's bytes, as 64 lowercase hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sha256(String);

/// The identity of a media item: 128 bits derived from its user and its bytes, as 32 lowercase hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MediaId(String);

impl MediaId {
    /// The item that `user`'s bytes with this hash are: the same bytes again give the same id.
    pub fn of_bytes(user: &UserId, sha256: &Sha256) -> Self {
        Self::derive(&["media", user.as_str(), sha256.as_str()])
    }

    /// The placeholder of an upload that failed before its bytes were hashed.
    pub fn of_upload(user: &UserId, bucket: &str, key: &str, version: &str) -> Self {
        Self::derive(&["upload", user.as_str(), bucket, key, version])
    }

    fn derive(parts: &[&str]) -> Self {
        let mut hash = sha2::Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        Self(hex::encode(&hash.finalize()[..16]))
    }
}

impl Sha256 {
    /// From the 32 bytes of a finished digest.
    pub fn from_digest(digest: [u8; 32]) -> Self {
        Self(hex::encode(digest))
    }

    /// The digest's 32 bytes.
    pub fn digest(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        hex::decode_to_slice(&self.0, &mut bytes).expect("checked when it was made");
        bytes
    }
}

fn is_lower_hex(text: &str, len: usize) -> bool {
    text.len() == len && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn is_user(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && !text.starts_with('.')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

macro_rules! parsed_string {
    ($name:ident, $check:expr, $error:expr) => {
        impl $name {
            /// The identity as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                if $check(&text) { Ok(Self(text)) } else { Err($error(text)) }
            }
        }
        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::try_from(text.to_owned())
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}
parsed_string!(UserId, is_user, IdError::User);
parsed_string!(Sha256, |text: &str| is_lower_hex(text, 64), IdError::Sha256);
parsed_string!(MediaId, |text: &str| is_lower_hex(text, 32), IdError::Media);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_data_and_never_paths() {
        for good in ["owner", "a", "Ann-Marie_2.x", &"u".repeat(64)] {
            assert!(good.parse::<UserId>().is_ok(), "{good}");
        }
        for bad in ["", ".", "..", ".hidden", "a/b", "ünï", "a b", "a#b", &"u".repeat(65)] {
            assert_eq!(bad.parse::<UserId>(), Err(IdError::User(bad.to_owned())));
        }
    }

    #[test]
    fn the_same_bytes_are_the_same_item_for_one_user_only() {
        let sha = Sha256::from_digest([7; 32]);
        let (ann, bob) = ("ann".parse().unwrap(), "bob".parse().unwrap());
        assert_eq!(MediaId::of_bytes(&ann, &sha), MediaId::of_bytes(&ann, &sha));
        assert_ne!(MediaId::of_bytes(&ann, &sha), MediaId::of_bytes(&bob, &sha));
        assert_eq!(sha.digest(), [7; 32]);
    }

    #[test]
    fn derived_parts_cannot_run_into_each_other() {
        let user: UserId = "u".parse().unwrap();
        assert_ne!(MediaId::of_upload(&user, "ab", "c", ""), MediaId::of_upload(&user, "a", "bc", ""));
    }
}
