//! Keep or hold: the verdict on an upload, from what was received of it.

use photovault_domain::{Format, Refusal, Scan, limits};
use photovault_media::Refused;

use crate::Received;

/// Deliveries in which a scanner that does not answer is waited for; then the upload is held. As many as the queue makes.
const SCAN_ATTEMPTS: u32 = 5;

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
    /// Nothing yet: the virus scanner could not tell, for this reason.
    Again(String),
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

/// Decides on an upload; `attempt` counts its deliveries.
pub fn decide(received: &Received, attempt: u32) -> Verdict {
    if let Scan::Infected { by, name } = &received.scan {
        return Verdict::Hold {
            refusal: Refusal::Quarantined,
            format: received.inspected.as_ref().map_or_else(|refused| refused.format, |inspected| Some(inspected.format)),
            reason: format!("The virus scanner ({by}) found {name} in this file."),
        };
    }
    if received.size_bytes > limits::MAX_UPLOAD_BYTES {
        return Verdict::Hold {
            refusal: Refusal::Rejected,
            format: None,
            reason: format!(
                "the file has {} bytes, more than the {} bytes that one upload may have",
                received.size_bytes,
                limits::MAX_UPLOAD_BYTES
            ),
        };
    }
    match (&received.inspected, &received.scan) {
        (Ok(_), Scan::Unfinished { why, .. }) if attempt < SCAN_ATTEMPTS => Verdict::Again(why.clone()),
        (Ok(inspected), Scan::Unfinished { why, .. }) => Verdict::Hold {
            refusal: Refusal::Quarantined,
            format: Some(inspected.format),
            reason: format!("This file is held because it could not be scanned for viruses: {why}."),
        },
        (Ok(inspected), _) => Verdict::Keep { format: inspected.format, size: (inspected.width, inspected.height) },
        (Err(Refused { refusal, format, reason }), _) => {
            Verdict::Hold { refusal: *refusal, format: *format, reason: reason.clone() }
        }
    }
}

impl Verdict {
    /// What the bytes are or claim to be.
    pub fn format(&self) -> Option<Format> {
        match self {
            Self::Keep { format, .. } => Some(*format),
            Self::Hold { format, .. } => *format,
            Self::Again(_) => None,
        }
    }

    /// Pixels, where known.
    pub fn size(&self) -> (Option<u32>, Option<u32>) {
        match self {
            Self::Keep { size, .. } => *size,
            Self::Hold { .. } | Self::Again(_) => (None, None),
        }
    }

    /// How the upload is refused, if it is.
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Keep { .. } | Self::Again(_) => None,
            Self::Hold { refusal, .. } => Some(*refusal),
        }
    }

    /// Why, if it is.
    pub fn reason(&self) -> Option<String> {
        match self {
            Self::Keep { .. } | Self::Again(_) => None,
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
        Received { sha256: Sha256::from_digest([7; 32]), size_bytes: 9, uploaded: UtcMs(1), scan, inspected }
    }

    #[test]
    fn what_could_not_be_scanned_is_tried_again_and_then_held() {
        let by = || "clamd".to_owned();
        let unfinished = received(Scan::Unfinished { by: by(), why: "it is down".to_owned() });
        assert_eq!(decide(&unfinished, 1), Verdict::Again("it is down".to_owned()));
        assert_eq!(decide(&unfinished, 4), Verdict::Again("it is down".to_owned()));
        let held = decide(&unfinished, 5);
        assert_eq!(held.refusal(), Some(Refusal::Quarantined));
        assert!(held.reason().unwrap().contains("it is down"));
        let found = decide(&received(Scan::Infected { by: by(), name: "Eicar".to_owned() }), 1);
        assert_eq!((found.refusal(), found.format()), (Some(Refusal::Quarantined), Some(Format::Jpeg)));
        assert!(found.reason().unwrap().contains("Eicar"));
        for scan in [Scan::Unscanned, Scan::Clean { by: by() }] {
            assert!(matches!(decide(&received(scan), 1), Verdict::Keep { .. }));
        }
    }

    #[test]
    fn what_is_refused_anyway_waits_for_no_scanner() {
        let mut refused = received(Scan::Unfinished { by: "clamd".to_owned(), why: "it is down".to_owned() });
        refused.inspected = Err(Refused { refusal: Refusal::Rejected, format: None, reason: "This is a text.".to_owned() });
        assert_eq!(decide(&refused, 1).reason().as_deref(), Some("This is a text."));
    }
}
