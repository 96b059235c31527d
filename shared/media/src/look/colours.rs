//! The few colours that a picture is made of, by k-means in Oklab (Björn Ottosson, 2020), where distance is what eyes see.

use photovault_domain::{Colour, Hex};

/// Colours told at most.
const MOST: usize = 5;
/// Pixels looked at, about: evenly spread over the picture.
const PIXELS: usize = 2_000;
/// Rounds after which the middles of the groups hardly move any more.
const ROUNDS: usize = 8;
/// Groups nearer to each other than this are one colour to the eye: a few just noticeable differences of about 0.02.
const ALIKE: f32 = 0.08;
/// A smaller share is no colour of the picture.
const LEAST_PERCENT: f32 = 3.0;

type Lab = [f32; 3];

/// Largest share first. `pixels` are sRGB, three bytes each.
pub(super) fn dominant(pixels: &[u8]) -> Vec<Colour> {
    let step = (pixels.len() / 3).div_ceil(PIXELS).max(1);
    let sampled: Vec<Lab> = pixels.chunks_exact(3).step_by(step).map(|rgb| oklab([rgb[0], rgb[1], rgb[2]])).collect();
    let Some(mut middles) = first_middles(&sampled) else { return Vec::new() };
    let mut groups = Vec::new();
    for _ in 0..ROUNDS {
        groups = grouped(&sampled, &middles);
        middles = groups.iter().map(Group::middle).collect();
    }
    merge_alike(&mut groups);
    groups.sort_by(|one, other| other.count.total_cmp(&one.count));
    let percent = |group: &Group| group.count * 100.0 / sampled.len() as f32;
    let told = groups.iter().filter(|group| percent(group) >= LEAST_PERCENT);
    told.map(|group| Colour { rgb: Hex(srgb(group.middle())), percent: percent(group).round() as u8 }).collect()
}

/// The mean's nearest pixel, then always what is farthest from all chosen: no random numbers, so the same picture has the same
/// colours always.
fn first_middles(sampled: &[Lab]) -> Option<Vec<Lab>> {
    let all = sampled.iter().fold(Group::default(), |mut all, colour| {
        all.add(*colour);
        all
    });
    let mean = all.middle();
    let first = *sampled.iter().min_by(|one, other| square(**one, mean).total_cmp(&square(**other, mean)))?;
    let mut middles = vec![first];
    let mut nearest: Vec<f32> = sampled.iter().map(|colour| square(*colour, first)).collect();
    while middles.len() < MOST {
        let (farthest, away) = nearest.iter().enumerate().max_by(|one, other| one.1.total_cmp(other.1))?;
        if *away < ALIKE * ALIKE {
            break;
        }
        let chosen = sampled[farthest];
        middles.push(chosen);
        nearest.iter_mut().zip(sampled).for_each(|(nearest, colour)| *nearest = nearest.min(square(*colour, chosen)));
    }
    Some(middles)
}

#[derive(Clone, Copy, Default)]
struct Group {
    count: f32,
    sum: Lab,
}

impl Group {
    fn add(&mut self, colour: Lab) {
        self.count += 1.0;
        self.sum = std::array::from_fn(|axis| self.sum[axis] + colour[axis]);
    }

    fn middle(&self) -> Lab {
        self.sum.map(|sum| sum / self.count)
    }
}

/// Every colour to its nearest middle; groups that nothing is near to are left out.
fn grouped(sampled: &[Lab], middles: &[Lab]) -> Vec<Group> {
    let mut groups = vec![Group::default(); middles.len()];
    for colour in sampled {
        let (mut nearest, mut least) = (0, f32::INFINITY);
        for (number, middle) in middles.iter().enumerate() {
            let away = square(*colour, *middle);
            if away < least {
                (nearest, least) = (number, away);
            }
        }
        groups[nearest].add(*colour);
    }
    groups.retain(|group| group.count > 0.0);
    groups
}

fn merge_alike(groups: &mut Vec<Group>) {
    let pairs = |groups: &[Group]| {
        let numbers = (0..groups.len()).flat_map(|one| (one + 1..groups.len()).map(move |other| (one, other)));
        let alike = |(one, other): &(usize, usize)| square(groups[*one].middle(), groups[*other].middle()) < ALIKE * ALIKE;
        numbers.into_iter().find(alike)
    };
    while let Some((one, other)) = pairs(groups) {
        let gone = groups.swap_remove(other);
        groups[one].count += gone.count;
        groups[one].sum = std::array::from_fn(|axis| groups[one].sum[axis] + gone.sum[axis]);
    }
}

/// Of the distance.
fn square(one: Lab, other: Lab) -> f32 {
    one.iter().zip(other).map(|(one, other)| (one - other).powi(2)).sum()
}

fn oklab(rgb: [u8; 3]) -> Lab {
    let linear = rgb.map(|value| {
        let value = f32::from(value) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    });
    times(&LAB_OF_CONES, times(&CONES_OF_RGB, linear).map(f32::cbrt))
}

fn srgb(colour: Lab) -> [u8; 3] {
    let linear = times(&RGB_OF_CONES, times(&CONES_OF_LAB, colour).map(|cone| cone.powi(3)));
    linear.map(|value| {
        let value = if value <= 0.003_130_8 { value * 12.92 } else { 1.055 * value.powf(1.0 / 2.4) - 0.055 };
        (value.clamp(0.0, 1.0) * 255.0).round() as u8
    })
}

fn times(matrix: &[[f32; 3]; 3], vector: [f32; 3]) -> [f32; 3] {
    matrix.map(|row| row[0] * vector[0] + row[1] * vector[1] + row[2] * vector[2])
}

// Oklab's matrices, from <https://bottosson.github.io/posts/oklab/>.
const CONES_OF_RGB: [[f32; 3]; 3] = [
    [0.412_221_46, 0.536_332_55, 0.051_445_995],
    [0.211_903_5, 0.680_699_5, 0.107_396_96],
    [0.088_302_46, 0.281_718_85, 0.629_978_7],
];
const LAB_OF_CONES: [[f32; 3]; 3] = [
    [0.210_454_26, 0.793_617_8, -0.004_072_047],
    [1.977_998_5, -2.428_592_2, 0.450_593_7],
    [0.025_904_037, 0.782_771_77, -0.808_675_77],
];
const CONES_OF_LAB: [[f32; 3]; 3] =
    [[1.0, 0.396_337_78, 0.215_803_76], [1.0, -0.105_561_346, -0.063_854_17], [1.0, -0.089_484_18, -1.291_485_5]];
const RGB_OF_CONES: [[f32; 3]; 3] = [
    [4.076_741_7, -3.307_711_6, 0.230_969_94],
    [-1.268_438, 2.609_757_4, -0.341_319_4],
    [-0.004_196_086_3, -0.703_418_6, 1.707_614_7],
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_go_there_and_back() {
        for rgb in [[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255], [12, 200, 99]] {
            assert_eq!(srgb(oklab(rgb)), rgb);
        }
    }

    #[test]
    fn shares_are_told_largest_first() {
        let pixels: Vec<u8> = [([200, 30, 30], 60), ([20, 40, 220], 30), ([250, 250, 250], 10)]
            .into_iter()
            .flat_map(|(rgb, times)| std::iter::repeat_n(rgb, times))
            .flatten()
            .collect();
        let told: Vec<_> = dominant(&pixels).into_iter().map(|colour| (colour.rgb.0, colour.percent)).collect();
        assert_eq!(told, [([200, 30, 30], 60), ([20, 40, 220], 30), ([250, 250, 250], 10)]);
    }

    #[test]
    fn shades_of_one_colour_are_one_and_no_picture_has_none() {
        let pixels: Vec<u8> = (0..90).flat_map(|by| [100 + by / 10, 120, 140]).collect();
        let told = dominant(&pixels);
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].percent, 100);
        assert!(dominant(&[]).is_empty());
    }
}
