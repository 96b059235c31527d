//! Keep or hold: the verdict on an upload, from what was received of it.

use photovault_domain::{Format, Refusal, Scan, limits};
use photovault_media::Refused;

use crate::Received;

/// What to do with an upload's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Keep them as an original.
    Keep {
        /// What they are.
        format: Format,
        /// Pixels, where the header says them.
        size: (Option<u32>, Option<u32>),
    },
    /// Keep them as the sidecar of a photo.
    Beside,
    /// Hold them under `quarantine/`.
    Hold {
        /// How they are refused.
        refusal: Refusal,
        /// What they claim to be, where that was recognised.
        format: Option<Format>,
        /// Why, in plain words.
        reason: String,
    },
}

/// Nothing is decided: the virus scanner could not tell, for this reason, and is asked again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not scanned for viruses yet: {0}")]
pub struct NotScanned(pub String);

/// Decides on an upload. `is_asked_again` says whether its message may come back to have it scanned once more.
///
/// # Errors
/// Where it is to be scanned once more.
pub fn decide(received: &Received, is_asked_again: bool) -> Result<Verdict, NotScanned> {
    let hold = |refusal: Refusal, format: Option<Format>, reason: String| Ok(Verdict::Hold { refusal, format, reason });
    if let Scan::Infected { by, name } = &received.scan {
        let format = received.inspected.as_ref().map_or_else(|refused| refused.format, |inspected| Some(inspected.format));
        return hold(Refusal::Quarantined, format, format!("The virus scanner ({by}) found {name} in this file."));
    }
    if received.size_bytes > limits::MAX_UPLOAD_BYTES {
        let (size_bytes, limit) = (received.size_bytes, limits::MAX_UPLOAD_BYTES);
        let reason = format!("the file has {size_bytes} bytes, more than the {limit} bytes that one upload may have");
        return hold(Refusal::Rejected, None, reason);
    }
    if received.is_xmp && received.size_bytes > limits::MAX_METADATA_BYTES as u64 {
        let (size_bytes, limit) = (received.size_bytes, limits::MAX_METADATA_BYTES);
        let reason = format!("This XMP file has {size_bytes} bytes; the limit for metadata is {limit}.");
        return hold(Refusal::Rejected, None, reason);
    }
    let kept = match &received.inspected {
        Ok(inspected) => Verdict::Keep { format: inspected.format, size: (inspected.width, inspected.height) },
        Err(_) if received.is_xmp => Verdict::Beside,
        Err(Refused { refusal, format, reason }) => return hold(*refusal, *format, reason.clone()),
    };
    match &received.scan {
        Scan::Unfinished { why, .. } if is_asked_again => Err(NotScanned(why.clone())),
        Scan::Unfinished { why, .. } => {
            let reason = format!("This file is held because it could not be scanned for viruses: {why}.");
            hold(Refusal::Quarantined, kept.format(), reason)
        }
        _ => Ok(kept),
    }
}

impl Verdict {
    /// What the bytes are or claim to be.
    pub fn format(&self) -> Option<Format> {
        match self {
            Self::Keep { format, .. } => Some(*format),
            Self::Hold { format, .. } => *format,
            Self::Beside => None,
        }
    }

    /// Pixels, where known.
    pub fn size(&self) -> (Option<u32>, Option<u32>) {
        match self {
            Self::Keep { size, .. } => *size,
            Self::Beside | Self::Hold { .. } => (None, None),
        }
    }

    /// How the upload is refused, if it is.
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Keep { .. } | Self::Beside => None,
            Self::Hold { refusal, .. } => Some(*refusal),
        }
    }

    /// Why, if it is; of a sidecar, what it is kept as.
    pub fn reason(&self) -> Option<String> {
        match self {
            Self::Keep { .. } => None,
            Self::Beside => Some("Kept as a sidecar: the photo of the same name has what it says.".to_owned()),
            Self::Hold { reason, .. } => Some(reason.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use photovault_domain::{Sha256, UtcMs};
    use photovault_media::Inspected;

    use super::*;

    fn received(scan: Scan) -> Received {
        let inspected = Ok(Inspected { format: Format::Jpeg, width: Some(4), height: Some(3) });
        Received { sha256: Sha256::from_digest([7; 32]), size_bytes: 9, uploaded: UtcMs(1), scan, is_xmp: false, inspected }
    }

    #[test]
    fn what_could_not_be_scanned_is_tried_again_and_then_held() {
        let by = || "clamd".to_owned();
        let unfinished = received(Scan::Unfinished { by: by(), why: "it is down".to_owned() });
        assert_eq!(decide(&unfinished, true), Err(NotScanned("it is down".to_owned())));
        let held = decide(&unfinished, false).unwrap();
        assert_eq!(held.refusal(), Some(Refusal::Quarantined));
        assert!(held.reason().unwrap().contains("it is down"));
        let found = decide(&received(Scan::Infected { by: by(), name: "Eicar".to_owned() }), true).unwrap();
        assert_eq!((found.refusal(), found.format()), (Some(Refusal::Quarantined), Some(Format::Jpeg)));
        assert!(found.reason().unwrap().contains("Eicar"));
        for scan in [Scan::Unscanned, Scan::Clean { by: by() }] {
            assert!(matches!(decide(&received(scan), true), Ok(Verdict::Keep { .. })));
        }
    }

    #[test]
    fn what_is_refused_anyway_waits_for_no_scanner() {
        let mut refused = received(Scan::Unfinished { by: "clamd".to_owned(), why: "it is down".to_owned() });
        refused.inspected = Err(Refused { refusal: Refusal::Rejected, format: None, reason: "This is a text.".to_owned() });
        assert_eq!(decide(&refused, true).unwrap().reason().as_deref(), Some("This is a text."));
    }

    #[test]
    fn sidecars_are_kept_within_their_limit() {
        let refused = || Err(Refused { refusal: Refusal::Rejected, format: None, reason: "This is an XML file.".to_owned() });
        let sidecar = |scan: Scan| Received { is_xmp: true, inspected: refused(), ..received(scan) };
        let kept = decide(&sidecar(Scan::Unscanned), true).unwrap();
        assert_eq!((&kept, kept.refusal(), kept.format()), (&Verdict::Beside, None, None));
        let unfinished = Scan::Unfinished { by: "clamd".to_owned(), why: "it is down".to_owned() };
        assert_eq!(decide(&sidecar(unfinished.clone()), true), Err(NotScanned("it is down".to_owned())));
        assert_eq!(decide(&sidecar(unfinished), false).unwrap().refusal(), Some(Refusal::Quarantined));
        let large = Received { size_bytes: limits::MAX_METADATA_BYTES as u64 + 1, ..sidecar(Scan::Unscanned) };
        assert!(decide(&large, true).unwrap().reason().unwrap().contains("the limit for metadata is 16777216"));
    }
}
