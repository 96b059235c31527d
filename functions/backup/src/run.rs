//! One run: page by page, and a manifest for every so many items.

use std::time::Duration;

use anyhow::bail;
use futures::{StreamExt as _, TryStreamExt as _};
use photovault_domain::{Format, Line, Manifest, Media, News, Subject, Until, UtcMs};
use photovault_vault::{BackupState, Deed, Page, Saved, Vault, seams::Written};

use crate::{Report, Request, thin::thin};

/// Items of a page.
const ITEMS: u32 = 200;
/// Items that are saved, or marked, at once.
const AT_ONCE: usize = 8;
/// Lines of a segment: some 6 MB. What is interrupted is done again from the last one on.
const LINES: usize = 2000;
/// Lines of the audit log that one request lists.
const AUDIT: u32 = 500;
/// Writers' clocks are at most so far apart: younger lines of the log are left to the next run, which then misses none that comes late.
const CLOCKS_APART_MS: u64 = 600_000;
/// Edits of a user that are saved: the latest.
const EDITS: u32 = 100_000;

/// Told of how many items are saved so far.
pub type OnProgress<'a> = &'a (dyn Fn(u64) + Send + Sync);

/// Saves what is not saved yet; no page is begun later than `within` from now.
pub async fn back_up(vault: &Vault, request: &Request, within: Duration, progress: OnProgress<'_>) -> anyhow::Result<Report> {
    let until = Until { began: vault.clock.now(), within };
    let mut state = vault.backups.state().await?;
    let mut run = Run { vault, report: Report { complete: true, ..Report::default() }, base: None, lines: vec![], saved: vec![] };
    if request.full {
        run.base = Some(Manifest { made: until.began, segments: vec![] });
        // What has left is not in it, and what was said is said anew.
        state.edited.clear();
        state.told.clear();
    }
    run.what_left(&mut state).await?;
    run.what_was_said(&mut state).await?;
    let mut after: Option<String> = None;
    loop {
        if until.is_over(vault.clock.now()) {
            run.report.complete = false;
            break;
        }
        let page = if request.full {
            vault.items_after(after.as_deref(), ITEMS).await?
        } else {
            vault.catalog.unsaved(after.as_deref(), ITEMS).await?
        };
        let Page { items, next } = page;
        run.save(items).await?;
        progress(run.report.items);
        if run.lines.len() >= LINES {
            run.commit(&mut state).await?;
        }
        after = next;
        if after.is_none() {
            break;
        }
    }
    run.commit(&mut state).await?;
    if run.report.complete && run.report.manifest.is_some() {
        run.report.thinned = thin(vault, &mut state).await?;
    }
    let Report { items, copied, damaged, complete, .. } = run.report;
    tracing::info!(items, copied, damaged, complete, "vault backed up");
    Ok(run.report)
}

struct Run<'a> {
    vault: &'a Vault,
    report: Report,
    /// What the next manifest adds to; read when there is something to add.
    base: Option<Manifest>,
    lines: Vec<Line>,
    /// The items among the lines, as they were read.
    saved: Vec<Media>,
}

impl Run<'_> {
    /// Copies the originals of a page; items whose original cannot be had are left for `verify`, and are not saved.
    async fn save(&mut self, items: Vec<Media>) -> anyhow::Result<()> {
        let wanted = items.into_iter().filter(|media| media.leaving.is_none() && media.sha256.is_some());
        let vault = self.vault;
        let save = |media: Media| async move {
            let saved = match (&media.object, &media.sha256) {
                (Some(object), Some(sha256)) => {
                    let mime = media.format.map_or("application/octet-stream", Format::mime);
                    vault.backups.save(object, sha256, mime).await?
                }
                _ => Saved::Already,
            };
            anyhow::Ok((media, saved))
        };
        let saved: Vec<(Media, Saved)> = futures::stream::iter(wanted.map(save)).buffered(AT_ONCE).try_collect().await?;
        for (media, saved) in saved {
            if matches!(saved, Saved::Missing | Saved::Damaged) {
                let text = format!("The original of {} could not be backed up: it is damaged or missing.", media.name());
                let news = News::of_day(&format!("unsaved-{}", media.id), Subject::Backup, vault.clock.now(), text);
                vault.jobs.send_news(&media.user, news).await?;
                tracing::error!(media.id = %media.id, ?saved, backup_trouble = true, "an original could not be saved");
                self.report.damaged += 1;
                continue;
            }
            self.report.copied += u64::from(saved == Saved::Copied);
            self.report.items += 1;
            self.lines.push(Line::Item(Box::new(Media { saved: None, ..media.clone() })));
            self.saved.push(media);
        }
        Ok(())
    }

    /// Items that have left the vault since the last run, as the log tells.
    async fn what_left(&mut self, state: &mut BackupState) -> anyhow::Result<()> {
        let now = self.vault.clock.now();
        loop {
            let page = self.vault.audit.list(state.audited.as_deref(), AUDIT).await?;
            for (place, entry) in page.items {
                if now.since(entry.at) < CLOCKS_APART_MS {
                    return Ok(());
                }
                state.audited = Some(place);
                if let (Deed::TrashEmptied | Deed::QuarantineEmptied, Some(media)) = (entry.deed, entry.media) {
                    self.report.gone += 1;
                    self.lines.push(Line::Gone { user: entry.user, media, at: entry.at });
                }
            }
            if page.next.is_none() {
                return Ok(());
            }
        }
    }

    /// What users said about moments and people, and hid, since the last run.
    async fn what_was_said(&mut self, state: &mut BackupState) -> anyhow::Result<()> {
        for (user, version) in self.vault.timelines.edited().await? {
            if state.edited.get(&user) != Some(&version) {
                let edits = self.vault.timelines.said(&user, UtcMs(i64::MAX - 1), EDITS).await?;
                self.lines.push(Line::Said { user: user.clone(), edits });
                state.edited.insert(user, version);
            }
        }
        for (user, change) in self.vault.told().await? {
            if state.told.get(&user) != Some(&change) {
                let people = self.vault.people_said.lines(&user).await?;
                let hidden = Box::new(self.vault.hiding.of(&user).await?);
                let merges = self.vault.merges.lines(&user).await?;
                self.lines.push(Line::Told { user: user.clone(), people, hidden, merges });
                state.told.insert(user, change);
            }
        }
        Ok(())
    }

    /// Writes the lines as a segment, a manifest that adds it to the last one, and then the marks.
    async fn commit(&mut self, state: &mut BackupState) -> anyhow::Result<()> {
        if self.lines.is_empty() {
            return Ok(());
        }
        let backups = &self.vault.backups;
        let mut manifest = match (self.base.take(), &state.newest) {
            (Some(base), _) => base,
            (None, Some(newest)) => backups.manifest(newest).await?,
            (None, None) => Manifest { made: UtcMs(0), segments: vec![] },
        };
        manifest.segments.push(backups.write_segment(&std::mem::take(&mut self.lines)).await?);
        manifest.made = self.vault.clock.now();
        let key = backups.write_manifest(&manifest).await?;
        state.newest = Some(key.clone());
        if backups.keep_state(state).await? == Written::Conflict {
            // It does not have what the other has.
            backups.remove(&key).await?;
            bail!("another backup was made meanwhile");
        }
        self.base = Some(manifest);
        self.report.manifest = Some(key);
        let marks = std::mem::take(&mut self.saved).into_iter().map(|media| self.vault.catalog.mark_saved(media));
        futures::stream::iter(marks).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
        Ok(())
    }
}
