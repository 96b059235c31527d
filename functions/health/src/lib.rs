//! health: finds what makes no progress and what does not fit together, and repairs it.
//!
//! - Event in: a schedule, or `{"all": true}` for the whole vault at once.
//! - Decision ([`decide`]): whether what a walk came past is stalled or incomplete.
//! - Effects out: jobs and upload events sent again, originals without an item uploaded again, items without their
//!   original failed with that reason, and the places that the walks have reached.
//! - Idempotent by: the stages and validate, which do nothing the second time; every repair is theirs to make.
//!
//! Nothing here scans. Stuck items come from the sparse index; uploads, bytes and items are walked a page at a run, so
//! that the whole vault is come past in the end and one run costs the same in every vault.

pub mod decide;
mod walk;

use std::{collections::BTreeMap, time::Duration};

use futures::future::BoxFuture;
use photovault_domain::Until;
use photovault_lambda::{Served, answered};
use photovault_vault::{Progress, Vault};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use decide::Moment;
pub use decide::{Repair, VIDEO_PATIENCE};
use walk::{WALKS, Walk};

/// What has not changed for so long makes no progress: past the visibility of every queue but that of videos, for which
/// [`VIDEO_PATIENCE`] stands, so that what is worked on or waits for its next attempt is not sent twice.
pub const STALLED_S: u32 = 900;
/// No page is begun later than this after the run began, by this sandbox's own clock (as with batches): the deadline that Lambda
/// names is another clock's. A test holds it against the function's timeout.
pub const BEGIN_WITHIN: Duration = Duration::from_secs(220);

/// What a run is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Request {
    /// The whole vault, from the beginning, instead of the next part of it.
    pub all: bool,
    /// What counts as no progress, in seconds.
    pub stalled_s: u32,
}

impl Default for Request {
    fn default() -> Self {
        Self { all: false, stalled_s: STALLED_S }
    }
}

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Uploads, objects and items that it came past.
    pub looked_at: u64,
    /// What it repaired.
    pub repairs: BTreeMap<Repair, u64>,
    /// Whether it did all that it was asked for; otherwise the next run goes on.
    pub complete: bool,
}

/// Runs the function under the Lambda runtime.
pub fn run() -> Served {
    photovault_lambda::serve_events(on_event)
}

/// A schedule's event, which asks for nothing in particular, or a [`Request`].
pub fn on_event(vault: Vault, event: Value) -> BoxFuture<'static, anyhow::Result<Value>> {
    answered(event, move |request: Request| async move { check(&vault, &request, BEGIN_WITHIN).await })
}

/// Makes one page of every walk, or all of them; no page is begun later than `within` from now.
pub async fn check(vault: &Vault, request: &Request, within: Duration) -> anyhow::Result<Report> {
    let until = Until { began: vault.clock.now(), within };
    let mut progress = vault.catalog.progress("health").await?;
    if request.all {
        progress.places.clear();
    }
    let mut report = Report { complete: true, ..Report::default() };
    for walk in WALKS {
        report.complete &= make(vault, *walk, request, until, &mut progress, &mut report).await?;
    }
    vault.catalog.keep_progress("health", &progress).await?;
    tracing::info!(looked_at = report.looked_at, repairs = ?report.repairs, complete = report.complete, "vault looked at");
    Ok(report)
}

/// `false` if the time was up first.
async fn make(
    vault: &Vault,
    walk: Walk,
    request: &Request,
    until: Until,
    progress: &mut Progress,
    report: &mut Report,
) -> anyhow::Result<bool> {
    loop {
        let now = vault.clock.now();
        if until.is_over(now) {
            return Ok(false);
        }
        let moment = Moment { now, stalled_ms: u64::from(request.stalled_s) * 1000 };
        let place = progress.places.remove(walk.name());
        let step = walk.step(vault, moment, place.as_deref()).await?;
        report.looked_at += step.looked_at;
        for repair in step.repairs {
            *report.repairs.entry(repair).or_default() += 1;
        }
        let Some(next) = step.next else { return Ok(true) };
        progress.places.insert(walk.name().to_owned(), next);
        if !request.all {
            return Ok(true);
        }
    }
}
