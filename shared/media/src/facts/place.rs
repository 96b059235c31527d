//! What lies at a position: the nearest populated place, its country, and the cell of the globe.

use h3o::{LatLng, Resolution};
use photovault_domain::{CELL_RESOLUTION, Cell, Facts, Located, Position, Town};

use super::{towns, zone};

/// How far a place may be to lend its name.
const NEAREST_KM: f64 = 25.0;
/// How far it may be to lend its country: on land, outside Antarctica, some place is nearer.
const COUNTRY_KM: f64 = 500.0;

/// Says what lies at the position, if there is one.
#[must_use]
pub fn located(facts: Facts) -> Facts {
    Facts { located: facts.position.as_ref().and_then(locate), ..facts }
}

/// `None` of what is no position on the globe.
fn locate(position: &Position) -> Option<Located> {
    let resolution = Resolution::try_from(CELL_RESOLUTION).ok()?;
    let cell = LatLng::new(position.latitude, position.longitude).ok()?.to_cell(resolution);
    let near = towns::nearest(position, NEAREST_KM);
    let of_land = || towns::nearest(position, COUNTRY_KM).filter(|_| zone::is_land(position));
    Some(Located {
        cell: Cell::from_index(u64::from(cell))?,
        town: near.map(|found| Town {
            name: found.name.to_owned(),
            region: (!found.region.is_empty()).then(|| found.region.to_owned()),
            distance_m: (found.distance_km * 1000.0).round() as u32,
        }),
        country: near.or_else(of_land).map(|found| found.country.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(latitude: f64, longitude: f64) -> Located {
        let position = Position { latitude, longitude, ..Position::default() };
        located(Facts { position: Some(position), ..Facts::default() }).located.expect("it is on the globe")
    }

    #[test]
    fn positions_have_towns_or_at_least_a_country() {
        for (latitude, longitude, want) in [
            (47.9990, 7.8421, "Freiburg, Baden-Wuerttemberg, DE"),
            (35.0116, 135.7681, "Kyoto, Kyoto, JP"),
            (64.1466, -21.9426, "Reykjavik, Capital Region, IS"),
            (-13.5320, -71.9675, "Cusco, Cusco, PE"),
            (51.1784, -115.5708, "Banff, Alberta, CA"),
            (-33.9249, 18.4241, "Cape Town, Western Cape, ZA"),
            (64.9, -18.5, "IS"),
            (-25.0, 133.0, "AU"),
            (0.0, -30.0, ""),
            (-80.0, 60.0, ""),
        ] {
            let located = at(latitude, longitude);
            let town = located.town.iter().flat_map(|town| {
                assert!(town.distance_m <= 25_000, "{town:?}");
                [Some(&town.name), town.region.as_ref()]
            });
            let words: Vec<&str> = town.chain([located.country.as_ref()]).flatten().map(String::as_str).collect();
            assert_eq!(words.join(", "), want, "{latitude} {longitude}");
        }
    }

    #[test]
    fn cells_hold_their_positions_and_lie_in_larger_ones() {
        let mut state = 7_u64;
        let mut unit = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        for _ in 0..2_000 {
            let (latitude, longitude) = (unit() * 180.0 - 90.0, unit() * 360.0 - 180.0);
            let cell = at(latitude, longitude).cell;
            let of = LatLng::new(latitude, longitude).expect("a position");
            for resolution in [Resolution::Nine, Resolution::Seven, Resolution::Five] {
                let theirs =
                    h3o::CellIndex::try_from(u64::from(of.to_cell(Resolution::Nine))).expect("a cell").parent(resolution);
                assert_eq!(Some(cell.around(u8::from(resolution)).to_string()), theirs.map(|cell| cell.to_string()));
            }
        }
    }

    #[test]
    fn what_is_no_position_has_no_place() {
        assert_eq!(located(Facts::default()).located, None);
        let nowhere = Position { latitude: f64::NAN, longitude: 0.0, ..Position::default() };
        assert_eq!(located(Facts { position: Some(nowhere), ..Facts::default() }).located, None);
    }
}
