//! The table of populated places (`scripts/places.py` makes it): looked up where it lies in the program, with nothing to be loaded
//! or kept in memory. The places stand by latitude, so that a look at a narrow band finds the nearest.

use std::sync::LazyLock;

use photovault_domain::Position;

/// 144,561 places of 1,000 people and more: `GeoNames`, CC BY 4.0.
const TABLE: &[u8] = include_bytes!("places.bin");
const MAGIC: &[u8] = b"PVPLACE2";
/// The table's units in a degree.
const UNITS: f64 = 2_000.0;
/// Of so many names one stands with where it begins.
const NAMES: usize = 16;
/// Kilometres: the mean radius of the Earth (IUGG).
const RADIUS_KM: f64 = 6371.009;
/// Kilometres of a degree of latitude.
const DEGREE_KM: f64 = std::f64::consts::PI * RADIUS_KM / 180.0;

/// A populated place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Found {
    /// In Latin letters.
    pub(super) name: &'static str,
    /// Its province or state; empty where it has none.
    pub(super) region: &'static str,
    /// Two letters (ISO 3166-1).
    pub(super) country: &'static str,
    /// To its middle.
    pub(super) distance_km: f64,
}

/// The nearest place that is at most so far away.
pub(super) fn nearest(position: &Position, within_km: f64) -> Option<Found> {
    let table = &*SECTIONS;
    let band = within_km / DEGREE_KM;
    let first = table.first_from(position.latitude - band);
    let in_band = (first..table.count).take_while(|place| table.latitude(*place) <= position.latitude + band);
    let distances = in_band.map(|place| (place, distance_km(position, table.latitude(place), table.longitude(place))));
    let near = distances.filter(|(_, distance_km)| *distance_km <= within_km);
    let (place, distance_km) = near.min_by(|one, other| one.1.total_cmp(&other.1))?;
    let (country, region) = table.region(place)?;
    Some(Found { name: table.name(place)?, region, country, distance_km })
}

/// Where each array of the table begins.
struct Sections {
    count: usize,
    latitudes: &'static [[u8; 4]],
    longitudes: &'static [[u8; 4]],
    lengths: &'static [u8],
    regions: &'static [[u8; 2]],
    begins: &'static [[u8; 4]],
    region_lines: Vec<&'static str>,
    names: &'static str,
}

static SECTIONS: LazyLock<Sections> =
    LazyLock::new(|| Sections::of(TABLE).expect("the table is part of the program; a test reads it"));

impl Sections {
    fn of(table: &'static [u8]) -> Option<Self> {
        let (count, rest) = table.strip_prefix(MAGIC)?.split_first_chunk()?;
        let (lines, rest) = rest.split_first_chunk()?;
        let (count, lines) = (u32::from_le_bytes(*count) as usize, u32::from_le_bytes(*lines) as usize);
        let (latitudes, rest) = rest.split_at_checked(4 * count)?;
        let (longitudes, rest) = rest.split_at_checked(4 * count)?;
        let (lengths, rest) = rest.split_at_checked(count)?;
        let (regions, rest) = rest.split_at_checked(2 * count)?;
        let (begins, rest) = rest.split_at_checked(4 * count.div_ceil(NAMES))?;
        let (lines, names) = rest.split_at_checked(lines)?;
        Some(Self {
            count,
            latitudes: latitudes.as_chunks().0,
            longitudes: longitudes.as_chunks().0,
            lengths,
            regions: regions.as_chunks().0,
            begins: begins.as_chunks().0,
            region_lines: std::str::from_utf8(lines).ok()?.lines().collect(),
            names: std::str::from_utf8(names).ok()?,
        })
    }

    fn latitude(&self, place: usize) -> f64 {
        f64::from(i32::from_le_bytes(self.latitudes[place])) / UNITS
    }

    fn longitude(&self, place: usize) -> f64 {
        f64::from(i32::from_le_bytes(self.longitudes[place])) / UNITS
    }

    /// The first place that does not lie further south.
    fn first_from(&self, latitude: f64) -> usize {
        self.latitudes.partition_point(|bytes| f64::from(i32::from_le_bytes(*bytes)) < latitude * UNITS)
    }

    fn name(&self, place: usize) -> Option<&'static str> {
        let known = u32::from_le_bytes(self.begins[place / NAMES]) as usize;
        let between = &self.lengths[place / NAMES * NAMES..place];
        let begin = known + between.iter().copied().map(usize::from).sum::<usize>();
        self.names.get(begin..begin + usize::from(self.lengths[place]))
    }

    /// Country and region.
    fn region(&self, place: usize) -> Option<(&'static str, &'static str)> {
        self.region_lines.get(usize::from(u16::from_le_bytes(self.regions[place])))?.split_at_checked(2)
    }
}

/// Along the great circle, by the haversine formula.
fn distance_km(from: &Position, latitude: f64, longitude: f64) -> f64 {
    let half_chord = |degrees: f64| (degrees.to_radians() / 2.0).sin().powi(2);
    let across = from.latitude.to_radians().cos() * latitude.to_radians().cos();
    let squared = half_chord(latitude - from.latitude) + across * half_chord(longitude - from.longitude);
    2.0 * RADIUS_KM * squared.sqrt().min(1.0).asin()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        let table = &*SECTIONS;
        assert_eq!(table.count, 144_561);
        assert!((1..table.count).all(|place| table.latitude(place - 1) <= table.latitude(place)), "by latitude");
        for place in 0..table.count {
            let (country, _) = table.region(place).expect("every place has a region");
            assert!(country.bytes().all(|byte| byte.is_ascii_uppercase()) && !table.name(place).expect("and a name").is_empty());
            assert!(table.latitude(place).abs() <= 90.0 && table.longitude(place).abs() <= 180.0);
        }
        assert_eq!(table.lengths.iter().copied().map(usize::from).sum::<usize>(), table.names.len());
        let names: String = (0..table.count).filter_map(|place| table.name(place)).collect();
        assert_eq!(names, table.names, "one after the other");
    }

    #[test]
    fn the_band_finds_what_a_look_at_all_places_finds() {
        let table = &*SECTIONS;
        for (latitude, longitude) in
            [(48.2, 16.4), (35.0, 135.7), (-17.8, 179.98), (-17.8, -179.98), (0.1, -78.5), (71.3, -156.8), (-54.8, -68.3)]
        {
            let position = Position { latitude, longitude, ..Position::default() };
            let all = (0..table.count).map(|place| distance_km(&position, table.latitude(place), table.longitude(place)));
            let least = all.fold(f64::MAX, f64::min);
            let found = nearest(&position, 250.0).expect("somebody lives there");
            assert!((found.distance_km - least).abs() < 1e-9, "{found:?}: {least}");
            assert_eq!(nearest(&position, least - 0.001), None);
        }
        assert_eq!(nearest(&Position { latitude: -48.9, longitude: -123.4, ..Position::default() }, 1_000.0), None, "Point Nemo");
    }
}
