//! verify: reads originals and hashes them, heals from the backup what is not as it was, and tries whether the backup can be restored.
//!
//! - Event in: a schedule (the next so many items), `{"all": true}` for every original, or `{"drill": true}` for the restore drill.
//! - Decision: whether the hash of what lies there is the one in its key. There is nothing else to decide.
//! - Effects out: damaged and missing originals copied back from the backup, a line in the log for each, the place that the walk has reached,
//!   and the drill's record.
//! - Idempotent by: what is healed is whole, and a drill only reads.
//!
//! The walk comes past every item in turn, so each original is read again after a known time, and not only with luck.

mod drill;
mod fixity;

use std::time::Duration;

use futures::future::BoxFuture;
use photovault_lambda::{Served, answered};
use photovault_vault::Vault;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use drill::{Drill, DrillRun, drill};
pub use fixity::verify;

/// No page is begun later than this after the run began, by this sandbox's own clock. A test holds it against the function's timeout.
pub const BEGIN_WITHIN: Duration = Duration::from_mins(10);
/// What its lines in the log are signed with, and its places are kept by.
pub(crate) const NAME: &str = "verify";

/// Told of how many originals are read so far.
pub type OnProgress<'a> = &'a (dyn Fn(u64) + Send + Sync);

/// What a run is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Request {
    /// Every original, from the beginning, instead of the next of them.
    pub all: bool,
    /// The restore drill instead.
    pub drill: bool,
}

/// What a run found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Originals that were read.
    pub read: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Originals that were missing or damaged, and are whole again.
    pub healed: u64,
    /// Those that the backup does not have either.
    pub lost: u64,
    /// Whether it did all that it was asked for; otherwise the next run goes on.
    pub complete: bool,
}

/// Runs the function under the Lambda runtime.
pub fn run() -> Served {
    photovault_lambda::serve_events(on_event)
}

/// A schedule's event or a [`Request`].
pub fn on_event(vault: Vault, event: Value) -> BoxFuture<'static, anyhow::Result<Value>> {
    answered(event, move |request: Request| async move {
        Ok(if request.drill {
            serde_json::to_value(drill(&vault, BEGIN_WITHIN, &|_| {}).await?)?
        } else {
            serde_json::to_value(verify(&vault, request.all, BEGIN_WITHIN, &|_| {}).await?)?
        })
    })
}
