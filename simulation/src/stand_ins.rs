//! What stands in for the codecs: files of a few bytes that say themselves what becomes of them. Everything else is real;
//! validation inspects these bytes with the real parsers.

use std::{
    io::Read as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::Context as _;
use photovault_domain::{
    Captured, DERIVATIVE_SIZES, Facts, Look, Position, Status, Video, limits::MAX_PHOTO_BYTES, local_of_seconds,
};
use photovault_media::{RawTag, Read, Rendered, RenderedFile, Unreadable};
use photovault_metadata::Reader;
use photovault_sim::Random;
use photovault_thumbnail::Renderer;
use photovault_video::{Maker, Shown};

/// What a file is made to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FileKind {
    Good,
    Video,
    Text,
    Damaged,
    Unshowable,
    ThumbnailErrs,
    ThumbnailPanics,
    ThumbnailDies,
    ThumbnailSometimesErrs,
    MetadataErrs,
    MetadataPanics,
    /// Its upload cannot be copied.
    Forbidden,
    /// No photo, but what lies beside one.
    Sidecar,
}

/// Photos: what a file's byte behind the header says.
const PHOTOS: &[FileKind] = &[
    FileKind::Good,
    FileKind::Unshowable,
    FileKind::ThumbnailErrs,
    FileKind::ThumbnailPanics,
    FileKind::ThumbnailDies,
    FileKind::ThumbnailSometimesErrs,
    FileKind::MetadataErrs,
    FileKind::MetadataPanics,
    FileKind::Forbidden,
];
/// A GIF's header and screen descriptor: 1 × 1 pixel.
const GIF: &[u8; 13] = b"GIF89a\x01\0\x01\0\0\0\0";

/// Seconds of work that are too many for a function.
const LONG_WORK_S: u32 = 2000;

impl FileKind {
    /// The stage that fails on it until the cause is gone, if one does.
    pub(crate) const fn poisons(self) -> Option<&'static str> {
        match self {
            Self::ThumbnailErrs | Self::ThumbnailPanics | Self::ThumbnailDies | Self::ThumbnailSometimesErrs => Some("thumbnail"),
            Self::MetadataErrs | Self::MetadataPanics => Some("metadata"),
            Self::Forbidden => Some("validate"),
            Self::Good | Self::Video | Self::Text | Self::Damaged | Self::Unshowable | Self::Sidecar => None,
        }
    }

    /// The end that it should come to once no cause of failure is left.
    pub(crate) const fn end(self) -> Status {
        match self {
            Self::Text | Self::Unshowable => Status::Rejected,
            Self::Damaged => Status::Quarantined,
            _ => Status::Ready,
        }
    }

    /// A file of this kind; another serial is another file.
    pub(crate) fn bytes(self, serial: u16) -> Vec<u8> {
        let serial = serial.to_be_bytes();
        match self {
            Self::Text => format!("words, number {}", serial[1]).into_bytes(),
            Self::Damaged => [&GIF[..6], &serial].concat(),
            Self::Sidecar => format!("<x:xmpmeta>{}</x:xmpmeta>", u16::from_be_bytes(serial)).into_bytes(),
            Self::Video => [b"RIFF\x12\0\0\0AVI LIST", &serial[..]].concat(),
            _ => {
                let kind = PHOTOS.iter().position(|kind| *kind == self).unwrap_or(0) as u8;
                [&GIF[..], &[kind], &serial].concat()
            }
        }
    }

    fn of(bytes: &[u8]) -> Self {
        bytes.get(GIF.len()).and_then(|kind| PHOTOS.get(usize::from(*kind))).copied().unwrap_or(Self::Good)
    }
}

/// The derivatives of a file.
pub(crate) fn rendered(bytes: &[u8]) -> Rendered {
    let file = |size: &photovault_domain::DerivativeSize| RenderedFile {
        name: size.name,
        mime: "image/jpeg",
        width: size.longest_side,
        height: size.longest_side,
        bytes: [size.name.as_bytes(), bytes].concat(),
    };
    // Two of the sizes: what can happen between two files has happened.
    let files = DERIVATIVE_SIZES.iter().take(2).map(file).collect();
    Rendered { files, thumbhash: vec![1, 2, 3], look: Look::default(), gain_map: None, warnings: Vec::new() }
}

/// The metadata of a file.
pub(crate) fn read(bytes: &[u8]) -> Read {
    let description = Some(format!("{bytes:?}"));
    let tag = RawTag { group: "IFD0".into(), name: "ImageDescription".into(), value: description.clone().unwrap_or_default() };
    // Minutes and hours apart, and in another order than they are uploaded in; some in two places.
    let number = bytes.iter().fold(7_i64, |number, byte| (number * 31 + i64::from(*byte)) % 1009);
    let captured = Captured { local: local_of_seconds(number * 97), ..Captured::default() };
    let position = Position { latitude: (number % 2) as f64 / 100.0, ..Position::default() };
    let facts =
        Facts { description, captured: Some(captured), position: (number % 3 == 0).then_some(position), ..Facts::default() };
    Read { facts, raw: vec![tag], warnings: Vec::new() }
}

/// What a sidecar says of its photo.
pub(crate) fn said(packet: &[u8]) -> String {
    String::from_utf8_lossy(packet).into_owned()
}

/// The renderer, until `cured` with the faults that files ask for.
pub(crate) fn renderer(cured: Arc<AtomicBool>, mut coin: Random) -> Renderer {
    let heads = coin.per_mille(500);
    Arc::new(move |vault, original, _format| {
        let cured = cured.load(Ordering::Relaxed);
        Box::pin(async move {
            let bytes = vault.originals.read(&original, MAX_PHOTO_BYTES).await?.context("the original is missing")?;
            match FileKind::of(&bytes) {
                FileKind::Unshowable => return Ok(Err(Unreadable { reason: "nothing to see".into() })),
                FileKind::ThumbnailErrs if !cured => anyhow::bail!("no memory for this one"),
                FileKind::ThumbnailSometimesErrs if !cured && heads => anyhow::bail!("no luck with this one"),
                FileKind::ThumbnailPanics if !cured => std::panic::resume_unwind(Box::new("index out of bounds")),
                // The process is gone: nothing ever answers.
                FileKind::ThumbnailDies if !cured => std::future::pending().await,
                _ => {}
            }
            Ok(Ok(rendered(&bytes)))
        })
    })
}

/// What looks into videos. The copies of half of them are left to the worker.
pub(crate) fn maker() -> Maker {
    Arc::new(move |vault, original, question| {
        Box::pin(async move {
            let bytes = vault.originals.read(&original.key, MAX_PHOTO_BYTES).await?.context("the original is missing")?;
            let (poster, facts) = (rendered(&bytes), read(&bytes).facts);
            let is_long = bytes.last().is_some_and(|last| last % 2 == 1);
            let work_s = if is_long && question.most_work_s != Some(0) { LONG_WORK_S } else { 0 };
            let video = Video { duration_ms: bytes.len() as u64, work_s, ..Video::default() };
            Ok(Ok(Shown { video, facts, poster, extras: Vec::new(), notes: Vec::new() }))
        })
    })
}

/// The reader, until `cured` with the faults that files ask for.
pub(crate) fn reader(cured: Arc<AtomicBool>) -> Reader {
    Arc::new(move |mut file, original| {
        let cured = cured.load(Ordering::Relaxed);
        Box::pin(async move {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            match FileKind::of(&bytes) {
                FileKind::MetadataErrs if !cured => anyhow::bail!("a clock of its own"),
                FileKind::MetadataPanics if !cured => std::panic::resume_unwind(Box::new("a tag too many")),
                _ => {}
            }
            let mut read = read(&bytes);
            read.facts.title = original.sidecar.as_deref().map(said);
            Ok((read, file))
        })
    })
}
