//! backup: saves what is not saved yet in a second bucket, and lets go of backups that are too many.
//!
//! - Event in: a schedule, or `{"full": true}` to save every item anew.
//! - Decision ([`photovault_domain::Retention`]): which backups stay. What is to be saved is no decision: it stands in the sparse index.
//! - Effects out: originals under their hashes, a segment with the items' rows, a signed manifest, and a mark on each item that it is saved.
//! - Idempotent by: the marks, which come last. Who is interrupted leaves items that are not marked, and the next run saves them again:
//!   an original that is there is left alone, and of two lines about an item the last one counts.
//!
//! Nothing here scans. An item that has ended and that no backup has stands in a partition of the sparse index; every write of an item puts it
//! there again. So a run costs what changed, and one with nothing to do asks four times, whatever is in the vault.

pub mod restore;
mod run;
mod thin;

use std::time::Duration;

use futures::future::BoxFuture;
use photovault_lambda::{Served, answered};
use photovault_vault::Vault;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use run::{OnProgress, back_up};

/// No page is begun later than this after the run began, by this sandbox's own clock. A test holds it against the function's timeout.
pub const BEGIN_WITHIN: Duration = Duration::from_mins(10);

/// What a run is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Request {
    /// Every item anew, and not only what no backup has; the backup stands by itself then.
    pub full: bool,
}

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Items that were saved.
    pub items: u64,
    /// Originals that were copied.
    pub copied: u64,
    /// Items that have left the vault.
    pub gone: u64,
    /// Originals that the vault does not have, or has with other bytes: `verify` heals what can be healed.
    pub damaged: u64,
    /// Old backups that were let go.
    pub thinned: u64,
    /// The newest backup's key, if this run made it.
    pub manifest: Option<String>,
    /// Whether everything is saved; otherwise the next run goes on.
    pub complete: bool,
}

/// Runs the function under the Lambda runtime.
pub fn run() -> Served {
    photovault_lambda::serve_events(on_event)
}

/// A schedule's event, which asks for nothing in particular, or a [`Request`].
pub fn on_event(vault: Vault, event: Value) -> BoxFuture<'static, anyhow::Result<Value>> {
    answered(event, move |request: Request| async move { back_up(&vault, &request, BEGIN_WITHIN, &|_| {}).await })
}
