//! Trips, of the days that were spent away: nobody looks through the library for them.

use photovault_domain::{DAY_MS, Placed, UserId, UtcMs, date_of_day};
use photovault_insight::trips::{Trip, local_day, trips};

use super::{Discretion, Memory, MemoryKind, ZONES_MS, place, shown};
use crate::{Vault, seams::SeamResult};

/// The trips of a user, the latest first. Read are the counts of photos by place and day, and of the timeline the days away from home.
pub async fn trips_of(vault: &Vault, user: &UserId) -> SeamResult<Vec<Memory>> {
    let discretion = vault.discretion(user).await?;
    Ok(found(vault, user, &discretion).await?.into_iter().rev().map(|(_, memory)| memory).collect())
}

/// Trips, in order, and how each is told.
pub(super) async fn found(vault: &Vault, user: &UserId, discretion: &Discretion) -> SeamResult<Vec<(Trip, Memory)>> {
    let presence = vault.timelines.presence(user).await?;
    // Where somebody lives, everything tells.
    let bases = presence.bases();
    let mut found = Vec::new();
    for days in presence.away(&bases) {
        let (from, until) = (UtcMs(days.start() * DAY_MS - ZONES_MS), UtcMs((days.end() + 1) * DAY_MS + ZONES_MS));
        let mut photos = vault.timelines.between(user, Some(from), Some(until)).await?;
        photos.retain(|placed| days.contains(&local_day(placed)) && !discretion.hides_day(&date_of_day(local_day(placed))));
        let photos = shown(vault, user, photos, discretion).await?;
        for trip in trips(&photos, &bases) {
            let memory = told(vault, user, &photos, &trip).await?;
            found.push((trip, memory));
        }
    }
    Ok(found)
}

async fn told(vault: &Vault, user: &UserId, photos: &[Placed], trip: &Trip) -> SeamResult<Memory> {
    let main = trip.places.first().and_then(|place| photos.iter().find(|placed| placed.key() == place.first));
    let name = place(vault, user, main).await?;
    let first = photos.iter().find(|placed| placed.taken.at == trip.starts).map(Placed::key).unwrap_or_default();
    let places = if trip.places.len() == 1 { "one place".to_owned() } else { format!("{} places", trip.places.len()) };
    let (days, date) = (trip.days, date_of_day(trip.first_day));
    let why = format!("{days} days and {places} up to {:.0} km from home, from {date}", trip.farthest_km);
    Ok(Memory { kind: MemoryKind::Trip, title: trip.title(&name), photos: trip.photos, why, first })
}
