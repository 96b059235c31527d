//! Memories: what is told of a library, each with the reason why it is told.
//!
//! What was on this day in other years is asked by key, so that a function may ask for it every day in every library. Trips are found by a
//! walk through a timeline.

use anyhow::Context as _;
use photovault_domain::{Placed, UserId, UtcMs, date_of_day, day_of_date};
use photovault_insight::trips::{Trip, bases, local_day, trips};
use serde::{Deserialize, Serialize};

use crate::Vault;

const DAY_MS: i64 = 86_400_000;
/// Milliseconds that the clocks of the earth are ahead of UTC and behind it, at most.
const ZONES_MS: i64 = 14 * 3_600_000;

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
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
    let date = date_of_day(today);
    let (year, of_year) = date.split_once('-').context("a date has a year")?;
    let year: i64 = year.parse()?;
    let first = vault.timelines.items(user, None, 1).await?.items.first().map_or(today, local_day);
    let first_year = date_of_day(first).split('-').next().context("a date has a year")?.parse::<i64>()?;
    let mut memories = Vec::new();
    for before in (first_year..year).rev() {
        let then = format!("{before:04}-{of_year}");
        // The 29th of February is in some years only.
        let Some(day) = day_of_date(&then) else { continue };
        let (from, until) = (UtcMs(day * DAY_MS - ZONES_MS), UtcMs((day + 1) * DAY_MS + ZONES_MS));
        let around = vault.timelines.between(user, Some(from), Some(until)).await?;
        let photos: Vec<&Placed> = around.iter().filter(|placed| local_day(placed) == day).collect();
        let Some(first) = photos.first() else { continue };
        let title = match year - before {
            1 => "1 year ago today".to_owned(),
            years => format!("{years} years ago today"),
        };
        let why = format!("taken on {then}, the same day of the year");
        memories.push(Memory { title, photos: photos.len(), why, first: first.key() });
    }
    Ok(memories)
}

/// The trips of a whole timeline, the latest first.
pub async fn trips_of(vault: &Vault, user: &UserId, timeline: &[Placed]) -> anyhow::Result<Vec<Memory>> {
    let mut memories = Vec::new();
    for trip in trips(timeline, &bases(timeline)).iter().rev() {
        memories.push(told(vault, user, timeline, trip).await?);
    }
    Ok(memories)
}

async fn told(vault: &Vault, user: &UserId, timeline: &[Placed], trip: &Trip) -> anyhow::Result<Memory> {
    let main = trip.places.first().and_then(|place| timeline.iter().find(|placed| placed.key() == place.first));
    let mut name = main.and_then(|main| main.taken.position).map(|at| at.to_string()).unwrap_or_default();
    if let Some(main) = main {
        let media = vault.catalog.media(user, &main.media).await?;
        name = media.and_then(|media| Some(media.facts?.place_name()?.to_owned())).unwrap_or(name);
    }
    let first = timeline.iter().find(|placed| placed.taken.at == trip.starts).map(Placed::key).unwrap_or_default();
    let (days, places, date) = (trip.days, trip.places.len(), date_of_day(trip.first_day));
    let why = format!("{days} days and {places} places up to {:.0} km from home, from {date}", trip.farthest_km);
    Ok(Memory { title: trip.title(&name), photos: trip.photos, why, first })
}
