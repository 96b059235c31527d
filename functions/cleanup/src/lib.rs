//! cleanup: lets go of what nobody needs any more, and of nothing else.
//!
//! - Event in: a schedule, or `{"all": true, "dry_run": true}` for the whole vault at once, without removing anything.
//! - Decision ([`decide`]): whether what a walk came past may go.
//! - Effects out: removed objects and items, a line in the audit log before each of them, sightings of orphans, and the places
//!   that the walks have reached.
//! - Idempotent by: the marks on items that leave ([`let_go`]); what is gone is not found again.
//!
//! Nothing here scans. The trash is a partition of the sparse index, so a run reads what is due and one item more; uploads, refused bytes
//! and derivatives are walked some pages at a run. An original goes only with its item, out of the trash, past its time.

pub mod decide;
mod derivatives;
mod let_go;
mod walk;

use std::{collections::BTreeMap, time::Duration};

use futures::future::BoxFuture;
use photovault_domain::Until;
use photovault_lambda::{Served, answered};
use photovault_vault::{Deed, Progress, Vault};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use decide::Terms;
pub use let_go::let_go;
use walk::{WALKS, Walk};

/// Days that the trash, and refused uploads, are kept where nobody said otherwise.
pub const KEPT_DAYS: u32 = 30;
/// No page is begun later than this after the run began, by this sandbox's own clock. A test holds it against the function's timeout.
pub const BEGIN_WITHIN: Duration = Duration::from_secs(220);
/// What its lines in the log are signed with.
const NAME: &str = "cleanup";

/// What a run is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Request {
    /// The whole vault, from the beginning, instead of the next part of it.
    pub all: bool,
    /// Only say what would go.
    pub dry_run: bool,
    /// Days in the trash.
    pub trash_days: u32,
    /// Days that refused uploads are held.
    pub quarantine_days: u32,
    /// Days that leftovers (derivatives of old recipes, orphans, uploads whose bytes are kept) are left alone.
    pub leftover_days: u32,
}

impl Default for Request {
    fn default() -> Self {
        Self { all: false, dry_run: false, trash_days: KEPT_DAYS, quarantine_days: KEPT_DAYS, leftover_days: 1 }
    }
}

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Uploads, objects and items that it came past.
    pub looked_at: u64,
    /// What it removed, or of a dry run would have: items, files or uploads.
    pub removed: BTreeMap<Deed, u64>,
    /// Derivatives that seem to belong to nothing, seen for the first time or again too soon.
    pub suspected: u64,
    /// Whether it did all that it was asked for; otherwise the next run goes on.
    pub complete: bool,
}

/// Runs the function under the Lambda runtime.
pub fn run() -> Served {
    photovault_lambda::serve_events(on_event)
}

/// A schedule's event or a [`Request`].
pub fn on_event(vault: Vault, event: Value) -> BoxFuture<'static, anyhow::Result<Value>> {
    answered(event, move |request: Request| async move { clean(&vault, &request, BEGIN_WITHIN).await })
}

/// Makes the next pages of every walk, or all of them; no page is begun later than `within` from now.
pub async fn clean(vault: &Vault, request: &Request, within: Duration) -> anyhow::Result<Report> {
    let until = Until { began: vault.clock.now(), within };
    let mut progress = vault.catalog.progress(NAME).await?;
    if request.all {
        progress.places.clear();
    }
    let mut report = Report { complete: true, ..Report::default() };
    for walk in WALKS {
        let run = Run { vault, request, until };
        report.complete &= run.make(*walk, &mut progress, &mut report).await?;
    }
    if !request.dry_run {
        vault.catalog.keep_progress(NAME, &progress).await?;
    }
    tracing::info!(looked_at = report.looked_at, removed = ?report.removed, complete = report.complete, "vault cleaned");
    Ok(report)
}

/// One run.
struct Run<'a> {
    vault: &'a Vault,
    request: &'a Request,
    until: Until,
}

impl Run<'_> {
    /// `false` if the time was up first.
    async fn make(&self, walk: Walk, progress: &mut Progress, report: &mut Report) -> anyhow::Result<bool> {
        let mut pages = 0;
        loop {
            let now = self.vault.clock.now();
            if self.until.is_over(now) {
                return Ok(false);
            }
            let Request { trash_days, quarantine_days, leftover_days, dry_run, .. } = *self.request;
            let terms = Terms { now, trash_days, quarantine_days, leftover_days };
            let place = progress.places.remove(walk.name());
            let step = walk.step(self.vault, terms, dry_run, place.as_deref()).await?;
            report.looked_at += step.looked_at;
            report.suspected += step.suspected;
            for (deed, count) in step.removed {
                *report.removed.entry(deed).or_default() += count;
            }
            let Some(next) = step.next else { return Ok(true) };
            progress.places.insert(walk.name().to_owned(), next);
            pages += 1;
            if !self.request.all && pages >= walk.pages() {
                return Ok(true);
            }
        }
    }
}
