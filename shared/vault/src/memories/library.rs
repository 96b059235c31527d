//! The memories that a walk through the library finds: events, and people through the years.

use std::collections::{BTreeSet, HashSet};

use photovault_domain::{DAY_MS, Hidden, Media, MediaId, PeopleEdit, Placed, UserId, UtcMs, date_of_day, timeline_key};
use photovault_insight::{
    events::{Event, events},
    people::{Acquaintance, Circle},
    trips::{local_day, month_of},
};

use super::{Memory, MemoryKind, away, on_this_day, place};
use crate::{
    Vault,
    people::{shows_somebody, slim},
    seams::SeamResult,
};

/// Photos, and years with photos, from which somebody is told of.
const PERSON_PHOTOS: usize = 10;
const PERSON_YEARS: usize = 3;

/// Every memory of a user on a day (counted from 1970): this day in other years, then trips, events and people. Looks through the library, as
/// only a command may.
pub async fn memories_of(vault: &Vault, user: &UserId, today: i64) -> anyhow::Result<Vec<Memory>> {
    let discretion = vault.discretion(user).await?;
    let timeline = vault.timelines.between(user, None, None).await?;
    let mut out_of_sight: HashSet<MediaId> = HashSet::new();
    let mut marked: Vec<Media> = Vec::new();
    let see = |media: Media| {
        if discretion.hides(&media) {
            out_of_sight.insert(media.id);
        } else if shows_somebody(&media) && !media.is_put_away() {
            marked.push(slim(media));
        }
    };
    vault.each_item(user, see).await?;
    marked.sort_by(|one, other| one.id.cmp(&other.id));
    let undated: HashSet<&MediaId> = marked.iter().filter(|media| media.taken().undated).map(|media| &media.id).collect();
    let is_shown = |placed: &Placed| {
        let is_hidden = discretion.hides_day(&date_of_day(local_day(placed))) || out_of_sight.contains(&placed.media);
        !placed.taken.undated && !is_hidden
    };
    let shown = without(timeline, is_shown);
    let said: Vec<PeopleEdit> = vault.people_said.lines(user).await?.concat();
    let mut memories = on_this_day(vault, user, today).await?;
    let (trips, told): (Vec<_>, Vec<_>) = away::found(vault, user, &discretion).await?.into_iter().unzip();
    memories.extend(told.into_iter().rev());
    for event in events(&shown, &trips).iter().rev() {
        memories.push(event_told(vault, user, &shown, event).await?);
    }
    memories.extend(
        Circle::with_faces(&marked, &vault.faces.whose(user).await?, &said)
            .0
            .persons()
            .iter()
            .filter_map(|person| person_told(person, &discretion.hidden, &undated)),
    );
    Ok(memories)
}

/// What is left of a timeline: a moment whose first photo goes begins with its next one.
fn without(timeline: Vec<Placed>, is_shown: impl Fn(&Placed) -> bool) -> Vec<Placed> {
    let (mut shown, mut begins) = (Vec::new(), None);
    for mut placed in timeline {
        begins = placed.begins.or(begins);
        if is_shown(&placed) {
            placed.begins = begins.take();
            shown.push(placed);
        }
    }
    shown
}

async fn event_told(vault: &Vault, user: &UserId, timeline: &[Placed], event: &Event) -> SeamResult<Memory> {
    let name = place(vault, user, timeline.iter().find(|placed| placed.key() == event.first)).await?;
    let date = date_of_day(event.day);
    let day = date.rsplit('-').next().unwrap_or_default().trim_start_matches('0');
    let (comma, month) = (if name.is_empty() { "" } else { ", " }, month_of(event.day));
    let title = format!("{name}{comma}{day} {month}");
    let minutes = event.ends.since(event.starts) / 60_000;
    let lasted = if minutes < 120 { format!("{minutes} minutes") } else { format!("{} hours", (minutes + 30) / 60) };
    let why = format!("{} photos in {lasted}; no usual moment has more than {}", event.photos, event.usual);
    Ok(Memory { kind: MemoryKind::Event, title, photos: event.photos, why, first: event.first.clone() })
}

fn person_told(person: &Acquaintance, hidden: &Hidden, undated: &HashSet<&MediaId>) -> Option<Memory> {
    let name = person.name.as_ref().filter(|name| !hidden.people.contains_key(&name.to_lowercase()))?;
    let date = |at: i64| date_of_day(at.div_euclid(DAY_MS));
    let is_shown = |(at, id): &&(UtcMs, MediaId)| !hidden.hides_day(&date(at.0)) && !undated.contains(id);
    let shown: Vec<_> = person.photos.iter().filter(is_shown).collect();
    let years: BTreeSet<String> = shown.iter().map(|(at, _)| date(at.0)[..4].to_owned()).collect();
    let (at, id) = shown.first()?;
    let is_told = shown.len() >= PERSON_PHOTOS && years.len() >= PERSON_YEARS;
    let why = format!("on {} photos of {} years, {} to {}", shown.len(), years.len(), years.first()?, years.last()?);
    let title = format!("{name} through the years");
    is_told.then(|| Memory { kind: MemoryKind::Person, title, photos: shown.len(), why, first: timeline_key(*at, id) })
}
