//! Memories: what is told of a library, each with the reason why it is told, and nothing of what its user hides.
//!
//! What was on this day in other years is asked by key, so that a function may ask for it every day in every library. Trips are found in the
//! days that were spent away. Events and people are found by a walk through the library.

mod away;
mod discretion;
mod library;

use anyhow::Context as _;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use photovault_domain::{DAY_MS, Placed, UserId, UtcMs, date_of_day, day_of_date};
use photovault_insight::trips::local_day;
use serde::{Deserialize, Serialize};

use crate::{Vault, seams::SeamResult};

pub use away::trips_of;
pub use discretion::Discretion;
pub use library::memories_of;

/// Items that are read at once.
const AT_ONCE: usize = 16;
/// Milliseconds that the clocks of the earth are ahead of UTC and behind it, at most.
const ZONES_MS: i64 = 14 * 3_600_000;

/// What kind of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MemoryKind {
    /// The same day of an earlier year.
    OnThisDay,
    /// Days away from home.
    Trip,
    /// A moment of far more photos than usual.
    Event,
    /// Somebody through the years.
    Person,
}

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// What it is.
    pub kind: MemoryKind,
    /// What it is called.
    pub title: String,
    /// How many photos it has.
    pub photos: usize,
    /// Why it is one.
    pub why: String,
    /// The place in the timeline of the photo that it begins with.
    pub first: String,
}

/// What was on a day (counted from 1970) in each year before, the latest first: one range of the timeline a year, whatever is in the library.
pub async fn on_this_day(vault: &Vault, user: &UserId, today: i64) -> anyhow::Result<Vec<Memory>> {
    let discretion = vault.discretion(user).await?;
    let date = date_of_day(today);
    let (year, of_year) = date.split_once('-').context("a date has a year")?;
    let year: i64 = year.parse()?;
    let first = vault.timelines.items(user, None, 1).await?.items.first().map_or(today, local_day);
    let first_year = date_of_day(first).split('-').next().context("a date has a year")?.parse::<i64>()?;
    let mut memories = Vec::new();
    for before in (first_year..year).rev() {
        let then = format!("{before:04}-{of_year}");
        // The 29th of February is in some years only.
        let Some(day) = day_of_date(&then).filter(|_| !discretion.hides_day(&then)) else { continue };
        let (from, until) = (UtcMs(day * DAY_MS - ZONES_MS), UtcMs((day + 1) * DAY_MS + ZONES_MS));
        let mut photos = vault.timelines.between(user, Some(from), Some(until)).await?;
        photos.retain(|placed| local_day(placed) == day);
        let photos = shown(vault, user, photos, &discretion).await?;
        let Some(first) = photos.first() else { continue };
        let title = match year - before {
            1 => "1 year ago today".to_owned(),
            years => format!("{years} years ago today"),
        };
        let why = format!("taken on {then}, the same day of the year");
        memories.push(Memory { kind: MemoryKind::OnThisDay, title, photos: photos.len(), why, first: first.key() });
    }
    Ok(memories)
}

/// Without those of which nobody knows when they were taken, and those that are not shown unasked.
async fn shown(vault: &Vault, user: &UserId, mut photos: Vec<Placed>, discretion: &Discretion) -> SeamResult<Vec<Placed>> {
    photos.retain(|placed| !placed.taken.undated);
    if !discretion.looks_at_photos() {
        return Ok(photos);
    }
    let looked_at = stream::iter(photos).map(|placed| async move {
        let media = vault.catalog.media(user, &placed.media).await?;
        Ok(media.filter(|media| !discretion.hides(media)).map(|_| placed))
    });
    let shown: Vec<Option<Placed>> = looked_at.buffered(AT_ONCE).try_collect().await?;
    Ok(shown.into_iter().flatten().collect())
}

/// What the place of a photo is called; nothing where nobody knows.
async fn place(vault: &Vault, user: &UserId, placed: Option<&Placed>) -> SeamResult<String> {
    let Some(placed) = placed else { return Ok(String::new()) };
    let media = vault.catalog.media(user, &placed.media).await?;
    let name = media.and_then(|media| Some(media.facts?.place_name()?.to_owned()));
    Ok(name.or_else(|| Some(placed.taken.position?.to_string())).unwrap_or_default())
}
