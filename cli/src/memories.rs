//! `photovault memories`: what was on this day in other years, trips, and the best of a month or a year. Each says why it is one.

use clap::Args;
use photovault_domain::{Placed, UserId, UtcMs, local_of_seconds, local_seconds};
use photovault_insight::trips::{Trip, bases, local_day, trips};
use photovault_vault::Vault;
use serde_json::json;

use crate::{
    arguments::VaultArguments,
    best::{self, Wanted, period},
    connection::reach,
    find::PAGE,
    moments::{coordinates, place},
    table::Table,
};

const DAY_S: i64 = 86_400;
/// Hours that the clocks of the earth are ahead of UTC and behind it, at most.
const ZONES_MS: i64 = 14 * 3_600_000;
const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

/// Show memories: this day in other years, trips, and the best of a month or a year.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  photovault memories\n  photovault memories --on 2026-07-04 --json\n  photovault memories --best-of 2024-07\n  \
    photovault memories --best-of 2024 --count 30 --without Ben --without 2024-07-01 --without Lisbon"
)]
pub(crate) struct MemoriesArguments {
    /// Another day than today (UTC).
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    on: Option<i64>,
    /// The best photos of a month or a year instead, each with why it was chosen.
    #[arg(long, value_name = "YYYY[-MM]", value_parser = period, conflicts_with = "on")]
    best_of: Option<String>,
    /// How many of them at most.
    #[arg(long, value_name = "N", default_value_t = 12, requires = "best_of")]
    count: usize,
    /// Leave out a person who is marked in photos, a place or a day; may be given several times.
    #[arg(long, value_name = "NAME|PLACE|YYYY-MM-DD", requires = "best_of")]
    without: Vec<String>,
    #[command(flatten)]
    vault: VaultArguments,
}

/// What is told.
struct Memory {
    title: String,
    photos: usize,
    why: String,
    /// The place in the timeline of the photo that it begins with.
    first: String,
}

/// `memories`.
pub(crate) async fn run(arguments: &MemoriesArguments) -> anyhow::Result<()> {
    let vault = reach(&arguments.vault).await?.vault;
    let user = &arguments.vault.user;
    if let Some(period) = &arguments.best_of {
        let wanted = Wanted { period, count: arguments.count, without: &arguments.without, json: arguments.vault.json };
        return best::run(&vault, user, &wanted).await;
    }
    let today = arguments.on.unwrap_or_else(|| vault.clock.now().0.div_euclid(DAY_S * 1000));
    let mut memories = on_this_day(&vault, user, today).await?;
    let timeline = timeline(&vault, user).await?;
    for trip in trips(&timeline, &bases(&timeline)).iter().rev() {
        memories.push(told(&vault, user, &timeline, trip).await?);
    }
    if arguments.vault.json {
        for Memory { title, photos, why, first } in memories {
            println!("{}", json!({"title": title, "photos": photos, "why": why, "first": first}));
        }
        return Ok(());
    }
    let mut table = Table::new(&["memory", "photos", "why this"]);
    for Memory { title, photos, why, .. } in memories {
        table.row(vec![title, photos.to_string(), why]);
    }
    table.print();
    Ok(())
}

/// This day in each year before, by key: two queries a year, whatever is in the library.
async fn on_this_day(vault: &Vault, user: &UserId, today: i64) -> anyhow::Result<Vec<Memory>> {
    let date = local_of_seconds(today * DAY_S);
    let (year, of_year) = (date[..4].parse::<i64>()?, &date[4..10]);
    let first = vault.timelines.items(user, None, 1).await?.items.first().map_or(today, local_day);
    let first_year = local_of_seconds(first * DAY_S)[..4].parse::<i64>()?;
    let mut memories = Vec::new();
    for before in (first_year..year).rev() {
        // The 29th of February is in some years only.
        let Some(day) = day_of(&format!("{before:04}{of_year}")) else { continue };
        let (from, until) = (day * DAY_S * 1000 - ZONES_MS, (day + 1) * DAY_S * 1000 + ZONES_MS);
        let around = items(vault, user, Some(UtcMs(from)), Some(UtcMs(until))).await?;
        let photos: Vec<&Placed> = around.iter().filter(|placed| local_day(placed) == day).collect();
        let Some(first) = photos.first() else { continue };
        let ago = match year - before {
            1 => "1 year ago today".to_owned(),
            years => format!("{years} years ago today"),
        };
        let why = format!("taken on {before:04}{of_year}, the same day of the year");
        memories.push(Memory { title: ago, photos: photos.len(), why, first: first.key() });
    }
    Ok(memories)
}

async fn told(vault: &Vault, user: &UserId, timeline: &[Placed], trip: &Trip) -> anyhow::Result<Memory> {
    let main = trip.places.first().and_then(|place| timeline.iter().find(|placed| placed.key() == place.first));
    let mut name = main.and_then(coordinates).unwrap_or_default();
    if let Some(main) = main {
        let media = vault.catalog.media(user, &main.media).await?;
        name = media.as_ref().and_then(place).unwrap_or(name);
    }
    let first = timeline.iter().find(|placed| placed.taken.at == trip.starts).map(Placed::key).unwrap_or_default();
    let date = local_of_seconds(trip.first_day * DAY_S);
    let why = format!(
        "{} days and {} places up to {:.0} km from home, from {}",
        trip.days,
        trip.places.len(),
        trip.farthest_km,
        &date[..10]
    );
    Ok(Memory { title: title(&name, trip), photos: trip.photos, why, first })
}

/// `Weekend in Lisbon`, or `Lisbon, March 2024`.
fn title(place: &str, trip: &Trip) -> String {
    let date = local_of_seconds(trip.first_day * DAY_S);
    // 1970 began on a Thursday.
    let weekday = (trip.first_day + 3).rem_euclid(7);
    let is_weekend = trip.days <= 3 && weekday >= 4 && weekday + trip.days > 6;
    let month = date[5..7].parse::<usize>().ok().and_then(|month| MONTHS.get(month - 1)).copied().unwrap_or_default();
    if is_weekend { format!("Weekend in {place}, {month} {}", &date[..4]) } else { format!("{place}, {month} {}", &date[..4]) }
}

/// All of a timeline: a command may look through a library; a function never does.
pub(crate) async fn timeline(vault: &Vault, user: &UserId) -> anyhow::Result<Vec<Placed>> {
    items(vault, user, None, None).await
}

/// Items of a timeline, from one instant to another.
async fn items(vault: &Vault, user: &UserId, from: Option<UtcMs>, until: Option<UtcMs>) -> anyhow::Result<Vec<Placed>> {
    let (mut found, mut after) = (Vec::new(), from.map(UtcMs::sort_key));
    loop {
        let page = vault.timelines.items(user, after.as_deref(), PAGE).await?;
        let past = |placed: &Placed| until.is_some_and(|until| placed.taken.at >= until);
        let is_over = page.items.iter().any(past);
        found.extend(page.items.into_iter().filter(|placed| !past(placed)));
        after = page.next;
        if after.is_none() || is_over {
            return Ok(found);
        }
    }
}

fn day(text: &str) -> Result<i64, String> {
    day_of(text).ok_or_else(|| format!("'{text}' is not a day such as 2026-07-04"))
}

/// The day of `YYYY-MM-DD`, counted from 1970, if there is one.
fn day_of(text: &str) -> Option<i64> {
    let midnight = format!("{text}T00:00:00");
    let seconds = local_seconds(&midnight).filter(|seconds| local_of_seconds(*seconds) == midnight)?;
    Some(seconds.div_euclid(DAY_S))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trip_is_called_by_its_place_and_time() {
        let trip = |day: &str, days: i64| Trip {
            starts: UtcMs(0),
            ends: UtcMs(0),
            days,
            first_day: day_of(day).unwrap(),
            photos: 20,
            farthest_km: 300.0,
            places: vec![],
        };
        for (day, days, want) in [
            ("2024-03-01", 3, "Weekend in Lisbon, March 2024"),
            ("2024-03-02", 2, "Weekend in Lisbon, March 2024"),
            ("2024-02-27", 3, "Lisbon, February 2024"),
            ("2024-12-27", 9, "Lisbon, December 2024"),
        ] {
            assert_eq!(title("Lisbon", &trip(day, days)), want, "{day} {days}");
        }
        assert_eq!((day("2023-02-29").is_err(), day("soon").is_err(), day("1970-01-02")), (true, true, Ok(1)));
    }
}
