//! A decoder that gets ready while its function fetches the first event.

use std::{
    io,
    sync::{Once, OnceLock},
};

use crate::{Bounds, Decoder};

/// The decoder of a function's process: a static of the function.
#[derive(Debug)]
pub struct Background {
    bounds: OnceLock<&'static Bounds>,
    decoder: OnceLock<io::Result<Decoder>>,
    told: Once,
}

impl Background {
    /// One that was not started: a test that calls handlers in its own process has no bootstrap that could be started again.
    #[expect(clippy::new_without_default, reason = "it is made once, as a static")]
    pub const fn new() -> Self {
        Self { bounds: OnceLock::new(), decoder: OnceLock::new(), told: Once::new() }
    }

    /// Starts it on a thread of its own.
    pub fn start(&'static self, bounds: &'static Bounds) {
        self.bounds.get_or_init(|| bounds);
        std::thread::spawn(|| self.started());
    }

    /// The decoder, once it is ready: blocks until then. `None` where none was started.
    ///
    /// A function whose decoder does not start makes way for a new one; its messages come back to that.
    pub fn ready(&self) -> Option<&Decoder> {
        let decoder = self.started()?.as_ref().unwrap_or_else(|error| {
            tracing::error!(error = %error, "the decoder did not start");
            std::process::exit(1)
        });
        // What holds in the decoder stands in the log of every start.
        self.told.call_once(
            || tracing::info!(decoder.protections = %decoder.protections(), "files are decoded in a process of their own"),
        );
        Some(decoder)
    }

    fn started(&self) -> Option<&io::Result<Decoder>> {
        let bounds = self.bounds.get()?;
        Some(self.decoder.get_or_init(|| Decoder::start_for(bounds)))
    }
}
