//! `photovault places`: where photos and videos were taken, the place with the most first.

use std::collections::{BTreeMap, BTreeSet};

use photovault_domain::{Cell, Located, Media, Status};
use serde::Serialize;

use crate::{arguments::PlacesArguments, bar::waiting, connection::reach, table::Table};

/// The resolution of the cells that are counted within a place: 5 km².
const AREA_RESOLUTION: u8 = 7;

/// A place and what was taken there.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Line {
    #[serde(skip_serializing_if = "Option::is_none")]
    town: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<String>,
    items: usize,
    days: BTreeSet<String>,
    areas: BTreeSet<Cell>,
}

/// `places`.
pub(crate) async fn run(arguments: &PlacesArguments) -> anyhow::Result<()> {
    let vault = reach(&arguments.vault).await?.vault;
    let wanted = |media: &Media| {
        let located = located(media).filter(|_| media.status() == Status::Ready);
        located.is_some_and(|located| arguments.name.as_deref().is_none_or(|name| is_called(located, name)))
    };
    let mut counted = Lines::new();
    let see = |media: Media| {
        if wanted(&media) && !media.is_put_away() {
            count(&mut counted, &media);
        }
    };
    waiting(vault.each_item(&arguments.vault.user, see)).await?;
    let mut lines: Vec<Line> = counted.into_values().collect();
    lines.sort_by_key(|line| std::cmp::Reverse(line.items));
    if arguments.vault.json {
        for line in &lines {
            println!("{}", serde_json::to_string(line)?);
        }
        return Ok(());
    }
    let mut table = Table::new(&["place", "region", "country", "items", "days", "first", "last"]);
    for line in lines {
        let elsewhere = if line.country.is_some() { "(far from any town)" } else { "(at sea)" };
        table.row(vec![
            line.town.unwrap_or_else(|| elsewhere.to_owned()),
            line.region.unwrap_or_default(),
            line.country.unwrap_or_default(),
            line.items.to_string(),
            line.days.len().to_string(),
            line.days.first().cloned().unwrap_or_default(),
            line.days.last().cloned().unwrap_or_default(),
        ]);
    }
    table.print();
    Ok(())
}

/// Whether an item was taken at a place whose town, region or country is called so, in letters large or small.
pub(crate) fn is_taken_at(media: &Media, name: &str) -> bool {
    media.facts.as_ref().is_some_and(|facts| facts.is_at(name))
}

fn is_called(located: &Located, name: &str) -> bool {
    let town = located.town.iter().flat_map(|town| [Some(&town.name), town.region.as_ref()]);
    let known = town.chain([located.country.as_ref()]).flatten();
    known.map(|known| known.to_lowercase()).any(|known| known == name.to_lowercase())
}

fn located(media: &Media) -> Option<&Located> {
    media.facts.as_ref()?.located.as_ref()
}

/// Lines by country, region and town.
type Lines = BTreeMap<[Option<String>; 3], Line>;

fn count(lines: &mut Lines, media: &Media) {
    let Some(located) = located(media) else { return };
    let (town, country) = (located.town.as_ref().map(|town| town.name.clone()), located.country.clone());
    let region = located.town.as_ref().and_then(|town| town.region.clone());
    let line = lines.entry([country.clone(), region.clone(), town.clone()]).or_insert_with(|| Line {
        town,
        region,
        country,
        ..Line::default()
    });
    line.items += 1;
    let captured = media.facts.as_ref().and_then(|facts| facts.captured.as_ref());
    line.days.extend(captured.and_then(|at| at.local.get(..10)).map(str::to_owned));
    line.areas.insert(located.cell.around(AREA_RESOLUTION));
}
