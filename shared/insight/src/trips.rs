//! Trips: the days that somebody spent away from where they are at home ([`crate::bases`]).

use std::collections::BTreeSet;

use photovault_domain::{DAY_MS, Placed, Point, Taken, UtcMs, date_of_day};

/// Kilometres from every base that are away.
pub(crate) const AWAY_KM: f64 = 10.0;
/// Kilometres between two photos, and days, that are another journey.
const HOP_KM: f64 = 800.0;
const PAUSE_DAYS: i64 = 1;
/// Days and photos of a trip.
const DAYS: std::ops::RangeInclusive<i64> = 2..=30;
pub(crate) const PHOTOS: usize = 20;
/// Kilometres within which photos are of one place. Days at either end of a trip that are spent within as much of a base are outings from home.
pub(crate) const PLACE_KM: f64 = 25.0;

/// A trip.
#[derive(Clone, Debug, PartialEq)]
pub struct Trip {
    /// When its first photo was taken.
    pub starts: UtcMs,
    /// When its last photo was taken.
    pub ends: UtcMs,
    /// Local days from the first to the last, both included.
    pub days: i64,
    /// Local day of the first, counted from 1970.
    pub first_day: i64,
    /// Photos.
    pub photos: usize,
    /// Kilometres from the nearest base, at the farthest.
    pub farthest_km: f64,
    /// Its places with their photos, the most first.
    pub places: Vec<Visited>,
}

/// A place of a trip.
#[derive(Clone, Debug, PartialEq)]
pub struct Visited {
    /// The place of its first photo in the timeline.
    pub first: String,
    /// Where that was taken.
    pub at: Point,
    /// Photos within 25 km of it.
    pub photos: usize,
}

const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

impl Trip {
    /// `Weekend in Lisbon, March 2024`, or `Lisbon, March 2024`.
    pub fn title(&self, place: &str) -> String {
        // 1970 began on a Thursday.
        let weekday = (self.first_day + 3).rem_euclid(7);
        let is_weekend = self.days <= 3 && weekday >= 4 && weekday + self.days > 6;
        let month = month_of(self.first_day);
        if is_weekend { format!("Weekend in {place}, {month}") } else { format!("{place}, {month}") }
    }
}

/// `March 2024`, of a day counted from 1970.
pub fn month_of(day: i64) -> String {
    let date = date_of_day(day);
    let mut parts = date.split('-');
    let (year, month) = (parts.next().unwrap_or_default(), parts.next().and_then(|month| month.parse::<usize>().ok()));
    format!("{} {year}", month.and_then(|month| MONTHS.get(month - 1)).copied().unwrap_or_default())
}

/// The trips of a timeline in its order. Who has no base yet has no trips: nobody knows what they would be away from.
pub fn trips(timeline: &[Placed], bases: &[Point]) -> Vec<Trip> {
    let from_home = |at: Point| bases.iter().map(|base| base.distance_km(at)).fold(f64::INFINITY, f64::min);
    let mut journeys: Vec<Vec<&Placed>> = Vec::new();
    let (mut current, mut last) = (Vec::new(), None::<(Point, i64)>);
    for placed in timeline.iter().filter(|_| !bases.is_empty()) {
        let day = local_day(placed);
        match placed.taken.position {
            Some(at) if from_home(at) > AWAY_KM => {
                let another = last.is_some_and(|(before, on)| before.distance_km(at) > HOP_KM || day - on > PAUSE_DAYS);
                if another {
                    journeys.push(std::mem::take(&mut current));
                }
                current.push(placed);
                last = Some((at, day));
            }
            Some(_) => {
                journeys.push(std::mem::take(&mut current));
                last = None;
            }
            // Without a position it is wherever the photo before it was, on that day and the next.
            None if last.is_some_and(|(_, on)| day - on <= 1) => current.push(placed),
            None => {}
        }
    }
    journeys.push(current);
    journeys.iter().filter_map(|journey| trip(without_outings(journey, from_home), from_home)).collect()
}

fn trip(journey: &[&Placed], from_home: impl Fn(Point) -> f64) -> Option<Trip> {
    let (first, last) = (journey.first()?, journey.last()?);
    let days = local_day(last) - local_day(first) + 1;
    if !DAYS.contains(&days) || journey.len() < PHOTOS {
        return None;
    }
    let (mut places, mut farthest_km) = (Vec::<Visited>::new(), 0.0_f64);
    for placed in journey {
        let Some(at) = placed.taken.position else { continue };
        farthest_km = farthest_km.max(from_home(at));
        match places.iter_mut().find(|place| place.at.distance_km(at) <= PLACE_KM) {
            Some(place) => place.photos += 1,
            None => places.push(Visited { first: placed.key(), at, photos: 1 }),
        }
    }
    places.sort_by_key(|place| std::cmp::Reverse(place.photos));
    let (starts, ends) = (first.taken.at, last.taken.at);
    Some(Trip { starts, ends, days, first_day: local_day(first), photos: journey.len(), farthest_km, places })
}

/// Without the first and the last days on which nobody got farther than around home.
fn without_outings<'a, 'b>(journey: &'a [&'b Placed], from_home: impl Fn(Point) -> f64) -> &'a [&'b Placed] {
    let far = |placed: &&&Placed| placed.taken.position.is_some_and(|at| from_home(at) > PLACE_KM);
    let days: BTreeSet<i64> = journey.iter().filter(far).map(|placed| local_day(placed)).collect();
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return &[] };
    let begin = journey.iter().position(|placed| local_day(placed) >= *first).unwrap_or(0);
    let end = journey.iter().rposition(|placed| local_day(placed) <= *last).map_or(0, |at| at + 1);
    &journey[begin..end]
}

/// The day of a photo's own clock, counted from 1970.
pub fn local_day(placed: &Placed) -> i64 {
    day_of(&placed.taken)
}

/// The same, of when it was taken.
pub fn day_of(taken: &Taken) -> i64 {
    (taken.at.0 + i64::from(taken.ahead_min.unwrap_or(0)) * 60_000).div_euclid(DAY_MS)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use photovault_domain::{MediaId, Sha256, UserId, day_of_date};

    use super::*;
    use crate::{
        bases::Presence,
        lives::{self, Kind, life},
    };

    fn bases(timeline: &[Placed]) -> Vec<Point> {
        Presence::of(timeline).bases()
    }

    fn timeline(life: &[lives::Taken]) -> Vec<Placed> {
        let user: UserId = "ann".parse().unwrap();
        let media = MediaId::of_bytes(&user, &Sha256::from_digest([1; 32]));
        let placed = |taken: &lives::Taken| Placed {
            media: media.clone(),
            taken: Taken { at: taken.shot.at, position: taken.shot.position, ..Taken::default() },
            begins: None,
        };
        life.iter().map(placed).collect()
    }

    /// The journeys of a life that are trips by what is called one: first and last photo.
    fn truth(life: &[lives::Taken]) -> Vec<(UtcMs, UtcMs)> {
        let mut journeys: BTreeMap<u32, Vec<&lives::Taken>> = BTreeMap::new();
        for taken in life {
            if let Some(trip) = taken.trip {
                journeys.entry(trip).or_default().push(taken);
            }
        }
        let day = |taken: &lives::Taken| taken.truly_at.0.div_euclid(DAY_MS);
        let is_trip = |photos: &Vec<&lives::Taken>| {
            photos.len() >= PHOTOS && DAYS.contains(&(day(photos[photos.len() - 1]) - day(photos[0]) + 1))
        };
        let trips = journeys.into_values().filter(is_trip);
        trips.map(|photos| (photos[0].truly_at, photos[photos.len() - 1].truly_at)).collect()
    }

    #[test]
    fn a_trip_is_called_by_its_place_and_time() {
        for (date, days, want) in [
            ("2024-03-01", 3, "Weekend in Lisbon, March 2024"),
            ("2024-03-02", 2, "Weekend in Lisbon, March 2024"),
            ("2024-02-27", 3, "Lisbon, February 2024"),
            ("2024-12-27", 9, "Lisbon, December 2024"),
        ] {
            let (starts, ends, first_day) = (UtcMs(0), UtcMs(0), day_of_date(date).unwrap());
            let trip = Trip { starts, ends, days, first_day, photos: 20, farthest_km: 300.0, places: vec![] };
            assert_eq!(trip.title("Lisbon"), want, "{date} {days}");
        }
    }

    #[test]
    fn trips_are_found_and_nothing_else_is_one() {
        let (mut right, mut found, mut wanted) = (0, 0, 0);
        for seed in 0..20 {
            let life = life(Kind::Traveller, seed, 365);
            let placed = timeline(&life);
            let (trips, truth) = (trips(&placed, &bases(&placed)), truth(&life));
            let overlaps = |trip: &&Trip| {
                let both = |(from, until): &(UtcMs, UtcMs)| trip.ends.0.min(until.0) - trip.starts.0.max(from.0);
                let longer = |(from, until): &(UtcMs, UtcMs)| (trip.ends.0 - trip.starts.0).max(until.0 - from.0);
                truth.iter().any(|it| both(it) * 10 >= longer(it) * 9)
            };
            right += trips.iter().filter(overlaps).count();
            (found, wanted) = (found + trips.len(), wanted + truth.len());
        }
        assert!(wanted > 50, "{wanted} trips are too few to mean anything");
        let (precision, recall) = (right as f64 / found as f64, right as f64 / wanted as f64);
        assert!(precision >= 0.95 && recall >= 0.95, "{right} right of {found} found and {wanted} wanted");
    }

    #[test]
    fn days_away_have_all_trips_and_are_few() {
        let (mut looked_at, mut all) = (0, 0);
        for (kind, seed) in Kind::ALL.into_iter().flat_map(|kind| (0..20).map(move |seed| (kind, seed))) {
            let placed = timeline(&life(kind, seed, 365));
            let presence = Presence::of(&placed);
            let bases = presence.bases();
            let mut found = Vec::new();
            for days in presence.away(&bases) {
                let there: Vec<Placed> = placed.iter().filter(|placed| days.contains(&local_day(placed))).cloned().collect();
                looked_at += there.len();
                found.extend(trips(&there, &bases));
            }
            all += placed.len();
            assert_eq!(found, trips(&placed, &bases), "{kind:?} {seed}");
        }
        assert!(looked_at * 2 < all, "{looked_at} of {all} photos are looked at");
    }

    #[test]
    fn a_hotel_is_no_home_and_who_never_travels_has_no_trips() {
        let home = Point { latitude: 48.0, longitude: 8.0 };
        let user: UserId = "ann".parse().unwrap();
        let at = |day: i64, hour: i64, position: Point| Placed {
            media: MediaId::of_bytes(&user, &Sha256::from_digest([day as u8; 32])),
            taken: Taken { at: UtcMs(day * DAY_MS + hour * 3_600_000), position: Some(position), ..Taken::default() },
            begins: None,
        };
        let mut line: Vec<Placed> = (0..60).map(|day| at(day, 12, home)).collect();
        assert_eq!((bases(&line).len(), trips(&line, &bases(&line))), (1, vec![]));
        let hotel = home.moved_km(300.0, 0.0);
        line.extend((60..80).flat_map(|day| [9, 15].map(|hour| at(day, hour, hotel))));
        line.extend((80..90).map(|day| at(day, 12, home)));
        let found = trips(&line, &bases(&line));
        assert_eq!((bases(&line).len(), found.len()), (1, 1));
        assert_eq!((found[0].days, found[0].photos, found[0].places.len()), (20, 40, 1));
        assert!((found[0].farthest_km - 300.0).abs() < 5.0);
    }
}
