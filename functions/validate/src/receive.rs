//! Reads an upload once: hashes all of it, keeps of it what the inspection needs.

use std::io::{Cursor, Seek as _, SeekFrom, Write as _};

use futures::TryStreamExt as _;
use photovault_domain::{Format, Kind, Scan, Sha256, UtcMs, limits};
use photovault_media::{Inspected, Refused, Sniffed, inspect, sniff};
use photovault_vault::{UploadRef, Vault};
use sha2::Digest as _;
use tempfile::SpooledTempFile;

use crate::{clamd::Session, outline::Outline};

/// Bytes that decide what a file is.
const HEAD_BYTES: usize = 64 * 1024;
/// Bytes of a still that are kept in memory; a larger one goes to the function's temporary storage.
const SPOOL_BYTES: usize = 32 * 1024 * 1024;

/// What was received of an upload.
#[derive(Debug)]
pub struct Received {
    /// The hash of all its bytes.
    pub sha256: Sha256,
    /// Bytes in all.
    pub size_bytes: u64,
    /// When it was uploaded.
    pub uploaded: UtcMs,
    /// What the virus scanner said.
    pub scan: Scan,
    /// Whether it is XMP, which stands beside a photo.
    pub is_xmp: bool,
    /// What its headers say, or why it is refused.
    pub inspected: Result<Inspected, Refused>,
}

/// Reads the upload; `None` if it is gone. `told` is what a scanner said of it elsewhere.
pub(crate) async fn gather(vault: &Vault, upload: &UploadRef, told: Option<Scan>) -> anyhow::Result<Option<Received>> {
    let Some(mut opened) = vault.originals.open_upload(upload).await? else { return Ok(None) };
    let mut hash = sha2::Sha256::new();
    let mut size_bytes = 0_u64;
    let mut kept = Kept::Head(Vec::new());
    let mut scan = Session::begin(&vault.names.scanner, vault.names.scanner_max_bytes).await;
    while let Some(chunk) = opened.body.try_next().await? {
        photovault_media::counted(|| hash.update(&chunk));
        size_bytes += chunk.len() as u64;
        kept = kept.and(&chunk, size_bytes, opened.size_bytes)?;
        if let Some(session) = &mut scan {
            session.pass(&chunk).await;
        }
    }
    let is_xmp = matches!(&kept, Kept::Head(head) | Kept::Enough(head) if photovault_media::is_xmp(head));
    let inspected = match kept {
        Kept::Head(head) | Kept::Enough(head) => inspect(Cursor::new(head), size_bytes),
        Kept::Still(mut file) => {
            file.seek(SeekFrom::Start(0))?;
            inspect(file, size_bytes)
        }
        Kept::Video(outline) => inspect(outline.finish()?, size_bytes),
    };
    let scan = match (told, scan) {
        (Some(told), _) => told,
        (None, Some(session)) => session.finish().await,
        (None, None) => Scan::Unscanned,
    };
    let sha256 = Sha256::from_digest(hash.finalize().into());
    Ok(Some(Received { sha256, size_bytes, uploaded: opened.modified, scan, is_xmp, inspected }))
}

/// What is kept of the bytes while they pass.
enum Kept {
    /// Too little yet to tell what they are.
    Head(Vec<u8>),
    /// A still: all of it, since its size may stand anywhere.
    Still(SpooledTempFile),
    /// A video in boxes: where each box begins.
    Video(Outline),
    /// Something else, or past the limit for a still: its head says all that validation wants.
    Enough(Vec<u8>),
}

impl Kept {
    /// One more chunk, `size_bytes` with it, `announced_bytes` in the end.
    fn and(self, chunk: &[u8], size_bytes: u64, announced_bytes: u64) -> std::io::Result<Self> {
        Ok(match self {
            Self::Head(mut head) => {
                head.extend_from_slice(chunk);
                if head.len() < HEAD_BYTES {
                    return Ok(Self::Head(head));
                }
                match sniff(&head) {
                    Sniffed::Media(format) if format.kind() == Kind::Photo => {
                        let mut file = SpooledTempFile::new(SPOOL_BYTES);
                        // Its memory is taken once, and not again and again while it grows.
                        file.set_len(announced_bytes.min(limits::MAX_PHOTO_BYTES))?;
                        file.write_all(&head)?;
                        Self::Still(file)
                    }
                    Sniffed::Media(Format::Mp4 | Format::Mov) => Self::Video(Outline::begin(&head)?),
                    _ => Self::Enough(head),
                }
            }
            Self::Still(mut file) if size_bytes > limits::MAX_PHOTO_BYTES => {
                file.seek(SeekFrom::Start(0))?;
                let mut head = vec![0; HEAD_BYTES];
                std::io::Read::read_exact(&mut file, &mut head)?;
                Self::Enough(head)
            }
            Self::Still(mut file) => {
                file.write_all(chunk)?;
                Self::Still(file)
            }
            Self::Video(mut outline) => {
                outline.pass(chunk)?;
                Self::Video(outline)
            }
            Self::Enough(head) => Self::Enough(head),
        })
    }
}
