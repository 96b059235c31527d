//! `photovault memories --best-of`: the best photos of a month or a year, each with why it was chosen.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use photovault_domain::{DAY_MS, Media, Placed, UserId, UtcMs, date_of_day, day_of_date};
use photovault_insight::{
    select::{Candidate, Choice, select},
    trips::local_day,
};
use photovault_vault::Vault;
use serde_json::json;

use crate::{
    list::short,
    places::is_taken_at,
    table::{Table, counted},
};

/// Items that are read at once.
const AT_ONCE: usize = 16;
/// Days that a year has at most.
const YEAR_DAYS: i64 = 366;

/// What is asked for.
pub(crate) struct Wanted<'a> {
    /// `2024` or `2024-07`.
    pub(crate) period: &'a str,
    /// Photos at most.
    pub(crate) count: usize,
    /// Persons, places and days that are to be left out.
    pub(crate) without: &'a [String],
    /// For machines.
    pub(crate) json: bool,
}

/// Prints them in the order in which they were taken. Reads the timeline and the items of that time only.
pub(crate) async fn run(vault: &Vault, user: &UserId, wanted: &Wanted<'_>) -> anyhow::Result<()> {
    let discretion = vault.discretion(user).await?;
    let (mut part, mut candidates, mut shown) = (0, Vec::new(), Vec::new());
    let (from, until) = around(wanted.period);
    let timeline = vault.timelines.between(user, Some(from), Some(until)).await?;
    let of_period = timeline.into_iter().filter_map(|placed| {
        part += u64::from(placed.begins.is_some());
        let date = date_of_day(local_day(&placed));
        let is_of_period = !placed.taken.undated && date.starts_with(wanted.period);
        is_of_period.then_some((placed, date, part))
    });
    let read = |(placed, date, part): (Placed, String, u64)| async move {
        let media = vault.catalog.media(user, &placed.media).await?;
        anyhow::Ok(media.map(|media| (placed, date, part, media)))
    };
    let items: Vec<_> = stream::iter(of_period.collect::<Vec<_>>()).map(read).buffered(AT_ONCE).try_collect().await?;
    for (placed, date, part, media) in items.into_iter().flatten() {
        let is_hidden = discretion.hides_day(&date) || discretion.hides(&media);
        if is_hidden || wanted.without.iter().any(|word| is_about(&media, &date, word)) {
            continue;
        }
        if let Some(candidate) = Candidate::of(&media, placed.taken.at, part, local_day(&placed)) {
            candidates.push(candidate);
            shown.push((media, date));
        }
    }
    let choices = select(&candidates, wanted.count);
    if !wanted.json && choices.is_empty() {
        eprintln!("There is no photo of {} to be shown.", wanted.period);
        return Ok(());
    }
    let mut table = Table::new(&["media", "taken", "name", "why this"]);
    for choice in &choices {
        let (media, date) = &shown[choice.candidate];
        if wanted.json {
            println!("{}", json!({"media": media.id, "name": media.name(), "taken": date, "why": words(choice)}));
        } else {
            table.row(vec![short(media), date.clone(), media.name().to_owned(), words(choice).join("; ")]);
        }
    }
    if !wanted.json {
        table.print();
        eprintln!("{} of {}.", choices.len(), counted(candidates.len(), "photo"));
    }
    Ok(())
}

fn words(choice: &Choice) -> Vec<String> {
    choice.why.iter().map(|why| why.words()).collect()
}

/// Whether a word names the day of a photo, its place, or somebody who is marked in it.
fn is_about(media: &Media, date: &str, word: &str) -> bool {
    let regions = media.facts.iter().flat_map(|facts| &facts.regions);
    let mut names = regions.filter_map(|region| region.name.as_deref());
    date == word || is_taken_at(media, word) || names.any(|name| name.eq_ignore_ascii_case(word))
}

/// Instants between which all photos of a period lie, wherever they were taken.
fn around(period: &str) -> (UtcMs, UtcMs) {
    let (first, days) = match period.len() {
        4 => (format!("{period}-01-01"), YEAR_DAYS),
        _ => (format!("{period}-01"), 31),
    };
    let day = day_of_date(&first).expect("a period was parsed");
    // A day more on either side: clocks are up to 14 hours from UTC.
    (UtcMs((day - 1) * DAY_MS), UtcMs((day + days + 1) * DAY_MS))
}

/// `2024` or `2024-07`.
pub(crate) fn period(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.split('-').collect();
    let is_number = |part: &str, digits: usize| part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_month = |part: &str| is_number(part, 2) && (1..=12).contains(&part.parse::<u32>().unwrap_or(0));
    match parts.as_slice() {
        [year] if is_number(year, 4) => Ok(text.to_owned()),
        [year, month] if is_number(year, 4) && is_month(month) => Ok(text.to_owned()),
        _ => Err(format!("'{text}' is neither a year such as 2024 nor a month such as 2024-07")),
    }
}

#[cfg(test)]
mod tests {
    use photovault_domain::{Facts, MediaId, Region, UtcMs};

    use super::*;

    #[test]
    fn periods_are_years_and_months() {
        for (text, good) in [("2024", true), ("2024-07", true), ("2024-13", false), ("24", false), ("2024-07-01", false)] {
            assert_eq!(period(text).is_ok(), good, "{text}");
        }
    }

    #[test]
    fn what_is_left_out_is_a_day_or_somebody() {
        let user: UserId = "ann".parse().unwrap();
        let id = MediaId::of_bytes(&user, &photovault_domain::Sha256::from_digest([1; 32]));
        let region = Region { name: Some("Ben".into()), ..Region::default() };
        let facts = Some(Box::new(Facts { regions: vec![region], ..Facts::default() }));
        let media = Media { facts, ..Media::new(user, id, UtcMs(0)) };
        assert!(is_about(&media, "2024-07-01", "ben") && is_about(&media, "2024-07-01", "2024-07-01"));
        assert!(!is_about(&media, "2024-07-01", "Ann"));
    }
}
