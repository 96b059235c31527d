//! Photos and the sidecars beside them, joined by the names that their uploader gave them. They arrive in either order.

use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use crate::{MediaId, UtcMs};

/// Photos, and sidecars, of one stem that are remembered: the latest.
const MAX_KEPT: usize = 32;
/// How names of pictures end. Another ending may be a part of a name that has points in it.
const PICTURES: &[&str] = &[
    "jpg", "jpeg", "jpe", "png", "webp", "gif", "tif", "tiff", "bmp", "heic", "heif", "hif", "avif", "jxl", "dng", "cr2", "cr3",
    "nef", "arw", "raf", "orf", "rw2", "pef", "srw",
];

/// What was uploaded under names with one stem: photos and sidecars know of each other through it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namesakes {
    /// The photos.
    pub photos: Vec<MediaId>,
    /// The sidecars.
    pub sidecars: Vec<Sidecar>,
    /// Counts the writes.
    pub version: u64,
}

/// An XMP file beside a photo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sidecar {
    /// The photo's name, or its stem: the sidecar's own name without its `.xmp`.
    pub of: String,
    /// Where it lies in the vault bucket.
    pub object: String,
    /// When it was uploaded.
    pub at: UtcMs,
}

/// The name of the photo beside which a file of this name lies, or the photo's stem: `a.jpg.xmp` is of `a.jpg`, `a.xmp` of `a`.
pub fn beside(name: &str) -> &str {
    without_extension(name, |extension| extension.eq_ignore_ascii_case("xmp")).unwrap_or(name)
}

/// What names of a photo and of its sidecars have in common: the name without the extension of a picture.
pub fn stem(name: &str) -> &str {
    let is_picture = |extension: &str| PICTURES.iter().any(|known| known.eq_ignore_ascii_case(extension));
    without_extension(name, is_picture).unwrap_or(name)
}

/// A stem as it stands in keys, which may not be as long as a name.
pub fn stem_key(stem: &str) -> String {
    hex::encode(&sha2::Sha256::digest(stem)[..16])
}

fn without_extension(name: &str, is_one: impl Fn(&str) -> bool) -> Option<&str> {
    let (stem, extension) = name.rsplit_once('.')?;
    (is_one(extension) && !stem.is_empty() && !stem.ends_with('/')).then_some(stem)
}

impl Namesakes {
    /// Adds a photo; `false` if it is known.
    pub fn add_photo(&mut self, photo: &MediaId) -> bool {
        let is_new = !self.photos.contains(photo);
        if is_new {
            self.photos.push(photo.clone());
            self.photos.drain(..self.photos.len().saturating_sub(MAX_KEPT));
        }
        is_new
    }

    /// Adds a sidecar. Of two with one name the later upload stands; `false` if nothing changes.
    pub fn add_sidecar(&mut self, sidecar: Sidecar) -> bool {
        if self.sidecars.iter().any(|known| known.of == sidecar.of && (known.at, &known.object) >= (sidecar.at, &sidecar.object))
        {
            return false;
        }
        self.sidecars.retain(|known| known.of != sidecar.of);
        self.sidecars.push(sidecar);
        self.sidecars.drain(..self.sidecars.len().saturating_sub(MAX_KEPT));
        true
    }

    /// The sidecar of a photo of this name; the one with the whole name before the one with its stem.
    pub fn sidecar_of(&self, name: &str) -> Option<&Sidecar> {
        let named = |wanted: &str| self.sidecars.iter().find(|sidecar| sidecar.of == wanted);
        named(name).or_else(|| named(stem(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sidecar(name: &str, object: &str, at: i64) -> Sidecar {
        Sidecar { of: beside(name).to_owned(), object: object.to_owned(), at: UtcMs(at) }
    }

    #[test]
    fn a_photo_and_its_sidecars_have_one_stem() {
        for (photo, sidecars) in [
            ("a/photo.jpg", ["a/photo.jpg.xmp", "a/photo.xmp"]),
            ("my.photo.HEIC", ["my.photo.HEIC.xmp", "my.photo.XMP"]),
            ("my.pic.jpg", ["my.pic.jpg.xmp", "my.pic.xmp"]),
            ("é.tiff", ["é.tiff.xmp", "é.xmp"]),
            ("photo.dat", ["photo.dat.xmp", "photo.dat.xmp"]),
        ] {
            for name in sidecars {
                let mut names = Namesakes::default();
                assert!(names.add_sidecar(sidecar(name, "x", 1)));
                assert!(names.sidecar_of(photo).is_some(), "{photo} {name}");
                assert_eq!(stem(photo), stem(beside(name)));
            }
        }
        for name in ["", ".xmp", "a/.xmp", "photo", ".jpg"] {
            assert_eq!((beside(name), stem(name)), (name, name));
        }
    }

    #[test]
    fn the_whole_name_comes_before_the_stem_and_the_later_before_the_earlier() {
        let mut names = Namesakes::default();
        assert!(names.add_sidecar(sidecar("a.xmp", "stem", 5)));
        assert!(names.add_sidecar(sidecar("a.jpg.xmp", "new", 9)));
        assert!(!names.add_sidecar(sidecar("a.jpg.xmp", "old", 3)), "uploads arrive in any order");
        assert!(!names.add_sidecar(sidecar("a.jpg.xmp", "new", 9)), "and twice");
        let found = |photo: &str| names.sidecar_of(photo).map(|sidecar| sidecar.object.as_str());
        assert_eq!((found("a.jpg"), found("a.heic"), found("b.jpg")), (Some("new"), Some("stem"), None));
    }

    #[test]
    fn photos_are_remembered_once() {
        let user = "ann".parse().unwrap();
        let mut names = Namesakes::default();
        for number in 0..40 {
            let id = MediaId::of_bytes(&user, &crate::Sha256::from_digest([number; 32]));
            assert!(names.add_photo(&id));
            assert!(!names.add_photo(&id));
        }
        assert_eq!(names.photos.len(), MAX_KEPT);
    }
}
