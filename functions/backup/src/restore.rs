//! Restoring: what a backup has alive, and how it comes back into the vault.

use std::collections::BTreeSet;

use anyhow::Context as _;
use photovault_domain::{Format, Line, Manifest, Media, Replay, Segment, Stage, State};
use photovault_vault::{Change, Vault};

/// A backup that is read, from its end to its beginning.
pub struct Reading {
    segments: Vec<Segment>,
    replay: Replay,
}

impl Reading {
    /// Begins to read.
    pub fn of(manifest: &Manifest) -> Self {
        Self { segments: manifest.segments.clone(), replay: Replay::default() }
    }

    /// Lines that are written in it, those that are outdated included: more than come.
    pub fn lines(&self) -> u64 {
        self.segments.iter().map(|segment| segment.lines).sum()
    }

    /// What counts of the next segment; `None` at the end.
    pub async fn next(&mut self, vault: &Vault) -> anyhow::Result<Option<Vec<Line>>> {
        let Some(segment) = self.segments.pop() else { return Ok(None) };
        let lines = vault.backups.lines(&segment).await?;
        Ok(Some(self.replay.of(lines)))
    }
}

/// What was brought back of an item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Its row.
    pub item: bool,
    /// Its original.
    pub original: bool,
}

/// Brings an item and its original back into the vault where they are not there. What is there is newer, and stays.
pub async fn bring_back(vault: &Vault, saved: &Media) -> anyhow::Result<Restored> {
    let mut restored = Restored::default();
    if let (Some(object), Some(sha256)) = (&saved.object, &saved.sha256)
        && !vault.originals.holds_bytes(object, sha256).await?
    {
        let mime = saved.format.map_or("application/octet-stream", Format::mime);
        let is_home = vault.backups.bring_home(object, sha256, mime).await?;
        restored.original = is_home.then_some(true).with_context(|| format!("the backup does not have {object} as it was"))?;
    }
    let bring = |item: Option<Media>| {
        if item.is_some() {
            return Change::Leave;
        }
        let mut media = Media { placed: None, version: 0, ..saved.clone() };
        // What is no part of a backup is made again: pictures, raw tags, and the place in the timeline.
        let stages = BTreeSet::from([media.pictured_by(), media.described_by(), Stage::Memories]);
        let done = |stage: &Stage| saved.ledger.get(stage).is_some_and(|entry| entry.state == State::Done);
        stages.into_iter().filter(done).for_each(|stage| _ = media.renew(stage));
        Change::Put(media)
    };
    let had = vault.catalog.media(&saved.user, &saved.id).await?;
    restored.item = had.is_none();
    vault.catalog.change_seen(&saved.user, &saved.id, had, bring).await?;
    Ok(restored)
}
