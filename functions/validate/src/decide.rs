//! Keep or hold: the verdict on an upload, from what was received of it.

use photovault_domain::{Format, Refusal, limits};
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

/// Decides on an upload.
pub fn decide(received: &Received) -> Verdict {
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
    match &received.inspected {
        Ok(inspected) => Verdict::Keep { format: inspected.format, size: (inspected.width, inspected.height) },
        Err(Refused { refusal, format, reason }) => Verdict::Hold { refusal: *refusal, format: *format, reason: reason.clone() },
    }
}

impl Verdict {
    /// What the bytes are or claim to be.
    pub fn format(&self) -> Option<Format> {
        match self {
            Self::Keep { format, .. } => Some(*format),
            Self::Hold { format, .. } => *format,
        }
    }

    /// Pixels, where known.
    pub fn size(&self) -> (Option<u32>, Option<u32>) {
        match self {
            Self::Keep { size, .. } => *size,
            Self::Hold { .. } => (None, None),
        }
    }

    /// How the upload is refused, if it is.
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Keep { .. } => None,
            Self::Hold { refusal, .. } => Some(*refusal),
        }
    }

    /// Why, if it is.
    pub fn reason(&self) -> Option<String> {
        match self {
            Self::Keep { .. } => None,
            Self::Hold { reason, .. } => Some(reason.clone()),
        }
    }
}
