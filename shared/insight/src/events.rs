//! Events: moments of which somebody took far more photos than they usually do.
//!
//! What is unusual is told by Tukey's upper fence (Tukey, "Exploratory Data Analysis", 1977): a quarter of all moments have more photos than the
//! third quartile, and what lies one and a half times the distance of the quartiles beyond it is out of the ordinary.

use photovault_domain::{Placed, UtcMs};

use crate::trips::{Trip, local_day};

/// Distances of the quartiles beyond the third one.
const BEYOND: f64 = 1.5;
/// Photos of an event at least, and moments from which anything can be called usual.
const LEAST_PHOTOS: usize = 20;
const LEAST_MOMENTS: usize = 20;

/// A moment out of the ordinary.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The place in the timeline of its first photo.
    pub first: String,
    /// When that was taken.
    pub starts: UtcMs,
    /// When its last photo was taken.
    pub ends: UtcMs,
    /// Local day of the first, counted from 1970.
    pub day: i64,
    /// Photos.
    pub photos: usize,
    /// Photos that a moment here may have and be nothing unusual.
    pub usual: usize,
}

/// The events of a timeline in its order. Those of trips are told by the trips.
pub fn events(timeline: &[Placed], trips: &[Trip]) -> Vec<Event> {
    let mut moments: Vec<&[Placed]> = Vec::new();
    let mut from = 0;
    for at in 1..=timeline.len() {
        if timeline.get(at).is_none_or(|placed| placed.begins.is_some()) {
            moments.push(&timeline[from..at]);
            from = at;
        }
    }
    if moments.len() < LEAST_MOMENTS {
        return Vec::new();
    }
    let usual = usual(&moments);
    let is_away = |moment: &[Placed]| trips.iter().any(|trip| (trip.starts..=trip.ends).contains(&moment[0].taken.at));
    let unusual = moments.into_iter().filter(|moment| moment.len() > usual && !is_away(moment));
    let event = |moment: &[Placed]| {
        let (first, last) = (moment.first()?, moment.last()?);
        let (starts, ends, day) = (first.taken.at, last.taken.at, local_day(first));
        Some(Event { first: first.key(), starts, ends, day, photos: moment.len(), usual })
    };
    unusual.filter_map(event).collect()
}

/// Tukey's fence, in photos, and at least one less than an event has.
fn usual(moments: &[&[Placed]]) -> usize {
    let mut counts: Vec<f64> = moments.iter().map(|moment| moment.len() as f64).collect();
    counts.sort_by(f64::total_cmp);
    let quartile = |part: f64| counts[((counts.len() - 1) as f64 * part).round() as usize];
    let fence = quartile(0.75) + BEYOND * (quartile(0.75) - quartile(0.25));
    (fence.floor() as usize).max(LEAST_PHOTOS - 1)
}

#[cfg(test)]
mod tests {
    use photovault_domain::{Boundary, DAY_MS, MediaId, Sha256, Taken, UserId};

    use super::*;
    use crate::{
        bases::Presence,
        lives::{Kind, life, truth},
        trips::trips,
    };

    fn timeline(photos: &[(UtcMs, Option<photovault_domain::Point>, bool)]) -> Vec<Placed> {
        let user: UserId = "ann".parse().unwrap();
        let placed = |(count, (at, position, begins)): (usize, &(UtcMs, _, bool))| Placed {
            media: MediaId::of_bytes(&user, &Sha256::from_digest([count as u8; 32])),
            taken: Taken { at: *at, position: *position, ..Taken::default() },
            begins: begins.then_some(Boundary::Time),
        };
        photos.iter().enumerate().map(placed).collect()
    }

    #[test]
    fn what_is_far_beyond_the_usual_is_an_event() {
        // Days of 4 photos, one of 30, one of 19.
        let day = |day: i64, photos: i64| (0..photos).map(move |at| (UtcMs(day * DAY_MS + at * 60_000), None, at == 0));
        let photos: Vec<_> = (0..40).flat_map(|at| day(at, if at == 20 { 30 } else { 4 - at % 2 })).collect();
        let line = timeline(&photos);
        let found = events(&line, &[]);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].photos, found[0].day, found[0].usual), (30, 20, 19));
        let few: Vec<_> = (0..10).flat_map(|at| day(at, if at == 5 { 30 } else { 4 })).collect();
        assert_eq!(events(&timeline(&few), &[]), [], "nobody knows yet what is usual");
        let trip = Trip {
            starts: UtcMs(19 * DAY_MS),
            ends: UtcMs(22 * DAY_MS),
            days: 4,
            first_day: 19,
            photos: 40,
            farthest_km: 90.0,
            places: vec![],
        };
        assert_eq!(events(&line, &[trip]), []);
    }

    #[test]
    fn few_moments_of_a_life_are_events_and_its_largest_is_one() {
        let (mut lives, mut found, mut moments) = (0, 0, 0);
        for seed in 500..520 {
            let life = life(Kind::Phone, seed, 365);
            let begins = truth(&life);
            let photos: Vec<_> = life.iter().zip(&begins).map(|(it, begins)| (it.truly_at, it.shot.position, *begins)).collect();
            let placed = timeline(&photos);
            let events = events(&placed, &trips(&placed, &Presence::of(&placed).bases()));
            moments += begins.iter().filter(|begins| **begins).count();
            found += events.len();
            let most = placed.chunk_by(|_, next| next.begins.is_none()).map(<[Placed]>::len).max();
            lives += usize::from(events.iter().any(|event| Some(event.photos) == most));
        }
        let part = found as f64 / moments as f64;
        assert!(lives == 20 && part > 0.0 && part < 0.05, "{lives} lives, {found} events of {moments} moments");
    }
}
