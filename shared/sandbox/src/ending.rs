//! Why a decoder ended, in words for the owner of the photo that it was working on.

use std::{os::unix::process::ExitStatusExt as _, process::ExitStatus};

use crate::Bounds;

/// How a decoder ended without an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It took longer than it may.
    TooLong,
    /// It asked for more memory than it may have.
    OutOfMemory,
    /// It crashed, in the system's words.
    Crashed(&'static str),
    /// What it answered makes no sense.
    Babbled,
}

impl Ending {
    /// Told from its exit status and from what it last said on standard error.
    pub(crate) fn of(status: ExitStatus, last_words: &str) -> Self {
        // Rust's allocator and C++ say so before they give up; the kernel's out-of-memory killer sends a signal.
        if ["memory allocation of", "bad_alloc"].iter().any(|words| last_words.contains(words)) {
            return Self::OutOfMemory;
        }
        match status.signal() {
            Some(libc::SIGKILL) => Self::OutOfMemory,
            Some(libc::SIGXCPU) => Self::TooLong,
            Some(libc::SIGSEGV) => Self::Crashed("segmentation fault"),
            Some(libc::SIGBUS) => Self::Crashed("bus error"),
            Some(libc::SIGILL) => Self::Crashed("illegal instruction"),
            Some(libc::SIGFPE) => Self::Crashed("arithmetic error"),
            Some(libc::SIGABRT) if last_words.contains("overflowed its stack") => Self::Crashed("stack overflow"),
            Some(libc::SIGABRT) => Self::Crashed("it gave up"),
            Some(_) => Self::Crashed("an unusual signal"),
            None => Self::Babbled,
        }
    }

    /// A sentence for the owner.
    pub(crate) fn reason(&self, bounds: &Bounds) -> String {
        let Bounds { what, seconds, memory_bytes, .. } = bounds;
        let why = match self {
            Self::TooLong => format!("decoding it took longer than the limit of {seconds} seconds"),
            Self::OutOfMemory => {
                format!("decoding it needs more memory than the limit of {memory_bytes} bytes for a decoder")
            }
            Self::Crashed(how) => format!("the decoder crashed on its data ({how})"),
            Self::Babbled => "the decoder ended on its data without an answer".to_owned(),
        };
        format!("This {what} cannot be shown: {why}.")
    }
}
