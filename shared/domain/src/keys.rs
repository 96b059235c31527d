//! Where things lie: how an upload's key names its owner, and the keys of the vault bucket.

use crate::{MediaId, Recipe, Sha256, UserId};

/// The key of an uploaded object, taken apart: whose it is and what its owner calls it.
///
/// `users/<user>/<name…>` belongs to that user, every other key to the vault's owner. The key is data and
/// never becomes a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadKey {
    /// Who the upload belongs to.
    pub user: UserId,
    /// The rest of the key, kept to the letter.
    pub name: String,
}

impl UploadKey {
    /// Takes a decoded object key apart; `owner` gets every key that names no user.
    pub fn parse(key: &str, owner: &UserId) -> Self {
        let named = key.strip_prefix("users/").and_then(|rest| rest.split_once('/'));
        match named.and_then(|(user, name)| Some((user.parse().ok()?, name))) {
            Some((user, name)) if !name.is_empty() => Self { user, name: name.to_owned() },
            _ => Self { user: owner.clone(), name: key.to_owned() },
        }
    }

    /// The object key of this upload.
    pub fn object_key(&self) -> String {
        format!("users/{}/{}", self.user, self.name)
    }
}

/// Where an accepted original is stored, once per user.
pub fn original_key(user: &UserId, sha256: &Sha256) -> String {
    format!("originals/{user}/{sha256}")
}

/// Where the bytes of a refused upload are kept.
pub fn quarantine_key(user: &UserId, sha256: &Sha256) -> String {
    format!("quarantine/{user}/{sha256}")
}

/// Whose bytes lie under a key of [`original_key`] or [`quarantine_key`], and their hash; `None` for every other key.
pub fn kept_bytes(key: &str) -> Option<(UserId, Sha256)> {
    let rest = key.strip_prefix("originals/").or_else(|| key.strip_prefix("quarantine/"))?;
    let (user, sha256) = rest.split_once('/')?;
    Some((user.parse().ok()?, sha256.parse().ok()?))
}

/// Where a derivative is stored; `name` is ours, not the uploader's.
pub fn derivative_key(user: &UserId, media: &MediaId, recipe: &Recipe, name: &str) -> String {
    format!("{}{recipe}/{name}", derivative_prefix(user, media))
}

/// What the keys of an item's checkpoints begin with; what they are parts of follows.
pub fn checkpoint_prefix(user: &UserId, media: &MediaId) -> String {
    format!("checkpoints/{user}/{media}/")
}

/// What every derivative key of one item begins with.
pub fn derivative_prefix(user: &UserId, media: &MediaId) -> String {
    format!("derivatives/{user}/{media}/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_its_user_or_belongs_to_the_owner() {
        let owner: UserId = "owner".parse().unwrap();
        for (key, user, name) in [
            ("users/ann/2024/x.jpg", "ann", "2024/x.jpg"),
            ("users/ann/../x.jpg", "ann", "../x.jpg"),
            ("users/ann/", "owner", "users/ann/"),
            ("users/../x.jpg", "owner", "users/../x.jpg"),
            ("photo.jpg", "owner", "photo.jpg"),
            ("ünï cödé + space%2B/../x.jpg", "owner", "ünï cödé + space%2B/../x.jpg"),
            ("", "owner", ""),
        ] {
            let parsed = UploadKey::parse(key, &owner);
            assert_eq!((parsed.user.as_str(), parsed.name.as_str()), (user, name), "{key}");
        }
    }

    #[test]
    fn a_kept_key_says_whose_bytes_it_has() {
        let (ann, sha256): (UserId, _) = ("ann".parse().unwrap(), Sha256::from_digest([7; 32]));
        for key in [original_key(&ann, &sha256), quarantine_key(&ann, &sha256)] {
            assert_eq!(kept_bytes(&key), Some((ann.clone(), sha256.clone())));
            assert_eq!(kept_bytes(&format!("{key}x")), None);
        }
        assert_eq!(kept_bytes("derivatives/ann/x"), None);
        assert_eq!(kept_bytes("originals/ann"), None);
    }

    #[test]
    fn an_object_key_comes_back() {
        let owner: UserId = "owner".parse().unwrap();
        let key = UploadKey { user: "ann".parse().unwrap(), name: "a/b c.jpg".into() };
        assert_eq!(UploadKey::parse(&key.object_key(), &owner), key);
    }
}
