//! The way to the vault during an import: it may break and come back, as when the engine is killed and started again.

use std::{
    sync::{Arc, Mutex, RwLock},
    time::Duration,
};

use anyhow::Context as _;
use photovault_vault::seams::SeamResult;
use tokio::time::Instant;

use crate::{
    arguments::VaultArguments,
    connection::{Reached, engine_file, reach},
};

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
/// What one request may take; a request that hangs is one that failed. Uploads of large files take longer.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);
/// Bytes a second that an upload is allowed to be as slow as.
const SLOWEST_UPLOAD: u64 = 256 * 1024;

/// Without the client's own innards, which follow in parentheses.
fn in_short(trouble: &str) -> String {
    trouble.split(" (").next().unwrap_or(trouble).trim_end_matches([':', ' ']).to_owned()
}

/// A connection that is made anew when the engine comes back.
pub(crate) struct Link {
    arguments: VaultArguments,
    patience: Duration,
    current: RwLock<Arc<Reached>>,
    health: Mutex<Health>,
}

struct Health {
    answered: Instant,
    announced: bool,
}

impl Link {
    /// Connects. `patience` is how long it goes on without one answer.
    pub(crate) async fn open(arguments: &VaultArguments, patience: Duration) -> anyhow::Result<Self> {
        let current = RwLock::new(Arc::new(reach(arguments).await?));
        let health = Mutex::new(Health { answered: Instant::now(), announced: false });
        Ok(Self { arguments: arguments.clone(), patience, current, health })
    }

    /// Asks until it is answered, or until patience ends. `size_bytes` is how much the request sends.
    pub(crate) async fn ask<T, F>(&self, size_bytes: u64, request: impl Fn(Arc<Reached>) -> F) -> anyhow::Result<T>
    where
        F: Future<Output = SeamResult<T>>,
    {
        let limit = REQUEST_LIMIT + Duration::from_secs(size_bytes / SLOWEST_UPLOAD);
        let mut pause = FIRST_PAUSE;
        loop {
            let reached = self.current.read().expect("no thread panics with it").clone();
            let trouble = match tokio::time::timeout(limit, request(reached)).await {
                Ok(Ok(answer)) => {
                    self.answered();
                    return Ok(answer);
                }
                Ok(Err(error)) => in_short(&error.to_string()),
                Err(_) => format!("no answer within {} s", limit.as_secs()),
            };
            self.endure(&trouble)?;
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            self.renew().await;
        }
    }

    fn answered(&self) {
        let mut health = self.health.lock().expect("no thread panics with it");
        if health.announced {
            eprintln!("The vault answers again.");
        }
        *health = Health { answered: Instant::now(), announced: false };
    }

    /// Says once that something is wrong; an error when it has been wrong for too long.
    fn endure(&self, trouble: &str) -> anyhow::Result<()> {
        let mut health = self.health.lock().expect("no thread panics with it");
        let (silent_s, patience_s) = (health.answered.elapsed().as_secs(), self.patience.as_secs());
        anyhow::ensure!(
            silent_s < patience_s,
            "the vault has not answered for {silent_s} s ({trouble}): start it with `photovault up --data {}` and import again; \
             what was sent is not sent twice",
            self.arguments.data.display()
        );
        if !health.announced {
            eprintln!("The vault does not answer ({trouble}).\nTrying again for up to {patience_s} s.");
            health.announced = true;
        }
        Ok(())
    }

    /// An engine that came back may listen elsewhere.
    async fn renew(&self) {
        let Ok(Some(written)) = engine_file(&self.arguments.data) else { return };
        let known = self.current.read().expect("no thread panics with it").engine.clone();
        if known.is_some_and(|known| known == written) {
            return;
        }
        if let Ok(reached) = reach(&self.arguments).await.context("reconnecting") {
            *self.current.write().expect("no thread panics with it") = Arc::new(reached);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_is_told_in_one_line() {
        let long = "upload of a.jpg: dispatch failure: io error: client error (Connect): refused (DispatchFailure { .. })";
        assert_eq!(in_short(long), "upload of a.jpg: dispatch failure: io error: client error");
        assert_eq!(in_short("no such table"), "no such table");
    }
}
