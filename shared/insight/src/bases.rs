//! Where somebody is at home, and on which days they were away: of the days on which they took photos in each place.
//!
//! Home is nothing that a user must say: it is wherever photos were taken on many days that lie far apart. A hotel has many days too,
//! but they are of one stay. What that is decided from are counts of photos by place and day, and a photo is added to one of them or taken
//! back without a look at any other photo ([`Count`]).

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
};

use photovault_domain::{Placed, Point, Taken, date_of_day, day_of_date};
use serde::{Deserialize, Serialize};

use crate::trips::{AWAY_KM, PHOTOS, PLACE_KM, day_of};

/// Degrees of latitude of a cell, about five kilometres; of longitude it has as many kilometres.
const CELL_DEG: f64 = 0.045;
/// Kilometres between two corners of a cell, at most.
const ACROSS_KM: f64 = 7.2;
/// Days with photos from which a cell can be a base, and their part of all days with photos.
const BASE_DAYS: usize = 8;
const BASE_PART: f64 = 0.05;
/// Days from the first of them to the last: longer than any trip, so that a hotel is no home.
const BASE_SPREAD_DAYS: i64 = 45;
/// Instead of a cell, of photos whose position nobody knows.
const NOWHERE: &str = "nowhere";
const MICRO: f64 = 1e6;

/// The photos of one cell and month. Sums are whole numbers, so that it does not matter in which order photos come and go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// How many on each day of the month on which there are any.
    pub days: BTreeMap<u8, u32>,
    /// The sum of their latitudes and that of their longitudes, in millionths of a degree.
    pub sums: (i64, i64),
}

impl Count {
    /// The name of the count that a photo belongs to: its cell, and its month where it was taken.
    pub fn key(taken: &Taken) -> String {
        let date = date_of_day(day_of(taken));
        let month = date.rsplit_once('-').map_or("", |(month, _)| month);
        match taken.position {
            Some(at) => format!("{}#{month}", cell(at)),
            None => format!("{NOWHERE}#{month}"),
        }
    }

    /// Adds a photo.
    pub fn add(&mut self, taken: &Taken) {
        *self.days.entry(day_of_month(taken)).or_default() += 1;
        let (latitude, longitude) = micro(taken);
        self.sums = (self.sums.0 + latitude, self.sums.1 + longitude);
    }

    /// Takes one back that was added.
    pub fn take_back(&mut self, taken: &Taken) {
        let day = day_of_month(taken);
        let left = self.days.get(&day).map_or(0, |photos| photos.saturating_sub(1));
        self.days.insert(day, left);
        self.days.retain(|_, photos| *photos > 0);
        let (latitude, longitude) = micro(taken);
        self.sums = (self.sums.0 - latitude, self.sums.1 - longitude);
    }

    /// Whether nothing is left of it.
    pub fn is_empty(&self) -> bool {
        self.days.is_empty()
    }
}

/// All counts of a user, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Presence {
    counts: BTreeMap<String, Count>,
}

/// The photos of one cell at all times.
#[derive(Default)]
struct Cell {
    days: BTreeMap<i64, u32>,
    sums: (i64, i64),
}

impl Presence {
    /// Of a whole timeline at once: what single photos must come to.
    pub fn of(timeline: &[Placed]) -> Self {
        let mut presence = Self::default();
        for Placed { taken, .. } in timeline {
            presence.counts.entry(Count::key(taken)).or_default().add(taken);
        }
        presence
    }

    /// Each count with its name.
    pub fn counts(&self) -> impl Iterator<Item = (&str, &Count)> {
        self.counts.iter().map(|(key, count)| (key.as_str(), count))
    }

    /// Where this user is at home: the middle of the photos of each cell that is a base.
    pub fn bases(&self) -> Vec<Point> {
        let cells = self.cells();
        let all: BTreeSet<i64> = cells.values().flat_map(|cell| cell.days.keys().copied()).collect();
        let least = BASE_DAYS.max((all.len() as f64 * BASE_PART).ceil() as usize);
        let is_base = |cell: &Cell| {
            let spread = cell.days.keys().next_back().zip(cell.days.keys().next()).map_or(0, |(last, first)| last - first);
            cell.days.len() >= least && spread >= BASE_SPREAD_DAYS
        };
        let placed = cells.into_iter().filter(|(name, _)| *name != NOWHERE);
        placed.filter(|(_, cell)| is_base(cell)).map(|(_, cell)| cell.middle()).collect()
    }

    /// Days (counted from 1970) from a first to a last one outside of which there is no trip: what lies in them says whether they are one. With
    /// the day before and the day behind, which tell where photos without a position belong.
    pub fn away(&self, bases: &[Point]) -> Vec<RangeInclusive<i64>> {
        if bases.is_empty() {
            return Vec::new();
        }
        let (mut far, mut photos) = (BTreeMap::<i64, bool>::new(), BTreeMap::<i64, usize>::new());
        for (name, cell) in self.cells() {
            let from_home = |base: &Point| base.distance_km(cell.middle()) + ACROSS_KM;
            let km = if name == NOWHERE { 0.0 } else { bases.iter().map(from_home).fold(f64::INFINITY, f64::min) };
            for (day, count) in &cell.days {
                *photos.entry(*day).or_default() += *count as usize;
                if km > AWAY_KM {
                    *far.entry(*day).or_default() |= km > PLACE_KM;
                }
            }
        }
        let mut runs: Vec<Vec<(i64, bool)>> = Vec::new();
        for (day, is_far) in far {
            match runs.last_mut().filter(|run| run.last().is_some_and(|(last, _)| last + 1 == day)) {
                Some(run) => run.push((day, is_far)),
                None => runs.push(vec![(day, is_far)]),
            }
        }
        let trip = |run: Vec<(i64, bool)>| {
            let far = || run.iter().filter(|(_, is_far)| *is_far).map(|(day, _)| *day);
            let (first, last) = far().next().zip(far().next_back())?;
            let count: usize = photos.range(first..=last).map(|(_, photos)| photos).sum();
            (first < last && count >= PHOTOS).then_some(first - 1..=last + 1)
        };
        runs.into_iter().filter_map(trip).collect()
    }

    fn cells(&self) -> BTreeMap<&str, Cell> {
        let mut cells: BTreeMap<&str, Cell> = BTreeMap::new();
        for (key, count) in &self.counts {
            let Some((name, first)) =
                key.split_once('#').and_then(|(cell, month)| Some((cell, day_of_date(&format!("{month}-01"))?)))
            else {
                continue;
            };
            let cell = cells.entry(name).or_default();
            cell.days.extend(count.days.iter().map(|(day, photos)| (first + i64::from(*day) - 1, *photos)));
            cell.sums = (cell.sums.0 + count.sums.0, cell.sums.1 + count.sums.1);
        }
        cells
    }
}

impl FromIterator<(String, Count)> for Presence {
    fn from_iter<T: IntoIterator<Item = (String, Count)>>(counts: T) -> Self {
        Self { counts: counts.into_iter().collect() }
    }
}

impl Cell {
    fn middle(&self) -> Point {
        let photos: u32 = self.days.values().sum();
        let mean = |sum: i64| sum as f64 / f64::from(photos.max(1)) / MICRO;
        Point { latitude: mean(self.sums.0), longitude: mean(self.sums.1) }
    }
}

fn day_of_month(taken: &Taken) -> u8 {
    date_of_day(day_of(taken)).rsplit('-').next().and_then(|day| day.parse().ok()).unwrap_or(1)
}

fn micro(taken: &Taken) -> (i64, i64) {
    let whole = |degrees: f64| (degrees * MICRO).round() as i64;
    taken.position.map_or((0, 0), |at| (whole(at.latitude), whole(at.longitude)))
}

/// Cells of one row are of one width, that of the row's middle.
fn cell(at: Point) -> String {
    let row = (at.latitude / CELL_DEG).floor();
    let shrink = ((row + 0.5) * CELL_DEG).to_radians().cos().max(0.01);
    format!("{:+05}{:+05}", row as i64, (at.longitude * shrink / CELL_DEG).floor() as i64)
}

#[cfg(test)]
mod tests {
    use photovault_domain::{DAY_MS, UtcMs};
    use proptest::prelude::*;

    use super::*;

    fn taken() -> impl Strategy<Value = Taken> {
        let position = proptest::option::of((-90.0..90.0_f64, -180.0..180.0_f64));
        (0..40_000_i64, proptest::option::of(-720..840_i16), position).prop_map(|(hours, ahead_min, position)| Taken {
            at: UtcMs(hours * 3_600_000),
            ahead_min,
            position: position.map(|(latitude, longitude)| Point { latitude, longitude }),
            undated: false,
        })
    }

    proptest! {
        #[test]
        fn what_comes_and_goes_leaves_nothing(all in proptest::collection::vec(taken(), 1..40), kept in any::<u64>()) {
            let is_kept = |place: usize| kept >> (place % 64) & 1 == 1;
            let mut counts: BTreeMap<String, Count> = BTreeMap::new();
            for taken in &all {
                counts.entry(Count::key(taken)).or_default().add(taken);
            }
            for (place, taken) in all.iter().enumerate().rev().filter(|(place, _)| !is_kept(*place)) {
                let count = counts.get_mut(&Count::key(taken)).unwrap();
                count.take_back(taken);
                prop_assert!(!count.is_empty() || count.sums == (0, 0), "{place}");
            }
            counts.retain(|_, count| !count.is_empty());
            let mut want: BTreeMap<String, Count> = BTreeMap::new();
            for (_, taken) in all.iter().enumerate().filter(|(place, _)| is_kept(*place)) {
                want.entry(Count::key(taken)).or_default().add(taken);
            }
            prop_assert_eq!(counts, want);
        }

        #[test]
        fn cells_are_not_wider_than_they_say(latitude in -84.0..84.0_f64, longitude in -179.0..179.0_f64) {
            // As far as the cell goes in each direction, in steps of 100 metres.
            let at = Point { latitude, longitude };
            let reach = |turn: f64| {
                let step = |number: i32| at.moved_km(f64::from(number) * 0.1 * turn.sin(), f64::from(number) * 0.1 * turn.cos());
                (1..200).map(step).take_while(|other| cell(*other) == cell(at)).last().unwrap_or(at)
            };
            let ends: Vec<Point> = (0..64).map(|turn| reach(f64::from(turn) * std::f64::consts::TAU / 64.0)).collect();
            let across = ends.iter().flat_map(|one| ends.iter().map(|other| one.distance_km(*other))).fold(0.0, f64::max);
            prop_assert!((5.0..=ACROSS_KM).contains(&across), "{across} km around {at}");
        }
    }

    #[test]
    fn a_count_is_written_as_a_row() {
        let at = |day: i64| Taken {
            at: UtcMs(day * DAY_MS + DAY_MS - 1),
            ahead_min: Some(60),
            position: Some(Point { latitude: 48.0, longitude: -7.5 }),
            undated: false,
        };
        let mut count = Count::default();
        for day in [30, 30, 31] {
            count.add(&at(day));
        }
        assert_eq!(Count::key(&at(30)), "+1066-0112#1970-02");
        let row = serde_json::to_value(&count).unwrap();
        assert_eq!(row.to_string(), r#"{"days":{"1":2,"2":1},"sums":[144000000,-22500000]}"#);
        assert_eq!(serde_json::from_value::<Count>(row).unwrap(), count);
    }
}
