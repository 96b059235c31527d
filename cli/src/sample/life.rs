//! A generated life (`photovault_insight::lives`) as a library: one shot for each photo, with what its camera got wrong.

use photovault_domain::{DAY_MS, UtcMs};
use photovault_insight::{
    lives::{Kind, Taken, life_from},
    random::{Random, mix},
};

use super::{
    plan::{ArcPosition, Shot, View, orient},
    truth::local_time,
    world::{CAMERAS, CameraModel, HOME},
};

const MINUTE_MS: i64 = 60_000;
/// The phone that everybody of the household has first, another phone, and a camera without positions.
const HOUSEHOLD: [&CameraModel; 3] = [&CAMERAS[0], &CAMERAS[1], &CAMERAS[2]];

/// The shots of so many days, in the order of the cameras' clocks.
pub(crate) fn shots(kind: Kind, seed: u64, days: u32) -> Vec<Shot> {
    let mut random = Random::new(seed, 5);
    let mut shots: Vec<Shot> = Vec::new();
    for (number, taken) in life_from(HOME.point(), kind, seed, days).iter().enumerate() {
        let before = shots.last().filter(|shot| taken.burst.is_some() && shot.burst == taken.burst.map(|burst| burst as usize));
        let view = match before {
            // A hand moves a little between two frames.
            Some(Shot { view, .. }) => {
                let (right, down) = view.shift;
                let shift = (right + random.between(0.002, 0.006), down + random.between(-0.003, 0.003));
                View { grain: random.bits(), shift, ..*view }
            }
            None => View {
                palette: mix(seed ^ u64::from(taken.moment)),
                direction: random.bits(),
                grain: 0,
                shift: (0.0, 0.0),
                hour: taken.truly_at.0.rem_euclid(DAY_MS) as f64 / 3_600_000.0,
            },
        };
        shots.push(shot(number, taken, view));
    }
    orient(&mut shots);
    shots
}

/// Lives are lived by the clocks at home.
fn shot(number: usize, taken: &Taken, view: View) -> Shot {
    let camera = HOUSEHOLD[usize::from(taken.camera).min(HOUSEHOLD.len() - 1)];
    let offset_minutes = HOME.offset_minutes(taken.truly_at.0.div_euclid(DAY_MS));
    let utc_ms = |at: UtcMs| at.0 - offset_minutes * MINUTE_MS;
    let date = local_time(utc_ms(taken.shot.at), offset_minutes);
    let name = if taken.screenshot {
        format!("Screenshot_{}.jpg", date.replace(['-', ':'], "").replace('T', "-"))
    } else {
        format!("{}{:05}.jpg", camera.file_prefix, number + 1)
    };
    let mas = |degrees: f64| (degrees * 3_600_000.0).round() as i64;
    let at = taken.truly_where;
    Shot {
        number,
        path: format!("{}/{}/{name}", &date[..4], &date[..7]),
        utc_ms: utc_ms(taken.shot.at),
        truly_utc_ms: utc_ms(taken.truly_at),
        offset_minutes,
        camera,
        position: ArcPosition { latitude_mas: mas(at.latitude), longitude_mas: mas(at.longitude), altitude_m: HOME.altitude_m },
        has_position: taken.shot.position.is_some(),
        is_screenshot: taken.screenshot,
        orientation: 1,
        moment: taken.moment as usize,
        trip: taken.trip.map(|trip| trip as usize),
        burst: taken.burst.map(|burst| burst as usize),
        view,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_life_is_decided_by_its_seed_and_no_file_lies_upon_another() {
        for kind in Kind::ALL {
            let shots = shots(kind, 4, 200);
            assert_eq!(format!("{shots:?}"), format!("{:?}", super::shots(kind, 4, 200)));
            let paths: BTreeSet<&str> = shots.iter().map(|shot| shot.path.as_str()).collect();
            assert_eq!(paths.len(), shots.len());
            assert!(
                shots.is_sorted_by_key(|shot| shot.utc_ms / 3_600_000 / 2),
                "{kind:?}: in the order of the clocks, but for summer time"
            );
            let is_family = kind == Kind::Family;
            assert_eq!(shots.iter().any(|shot| shot.utc_ms != shot.truly_utc_ms), is_family);
            assert_eq!(shots.iter().any(|shot| shot.is_screenshot && !shot.has_position), kind != Kind::Phone);
        }
    }
}
