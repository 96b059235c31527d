//! Generated faces with the truth beside them: a library of a family, its friends and strangers.
//!
//! Cosines are chosen after what embeddings of faces are known for, about .6 between photos of one person and about 0 between strangers, and
//! not measured on real faces. Relatives look alike, children change as they grow, and one face in twelve is blurred, turned away or half
//! hidden.

use super::Face;
use crate::random::Random;

/// Numbers of a face.
const LENGTH: usize = 128;
const YEAR: i64 = 365;

/// Faces in the order in which the photos came, each with the number of the person that it is of.
pub fn library(seed: u64, photos: u64) -> Vec<(Face, usize)> {
    let mut random = Random::new(seed, 31);
    let casts = cast(&mut random);
    let mut faces = Vec::new();
    for photo in 0..photos {
        let day = random.whole(0, 10 * YEAR);
        let mut shown: Vec<usize> = Vec::new();
        for _ in 0..*random.pick(&[1, 1, 1, 2, 2, 3, 4]) {
            let person = pick(&casts, &mut random);
            if !shown.contains(&person) && casts[person].born <= day {
                shown.push(person);
            }
        }
        for person in shown {
            let looks = casts[person].on(day, &mut random);
            faces.push((Face { id: faces.len() as u64, photo, day: day as i32, looks, word: None }, person));
        }
    }
    faces
}

struct Role {
    /// What they look like on the first day and, of a child, on the last.
    looks: [Vec<f32>; 2],
    born: i64,
    /// How often they are seen.
    weight: f64,
}

impl Role {
    fn on(&self, day: i64, random: &mut Random) -> Vec<f32> {
        let grown = day as f32 / (10 * YEAR) as f32;
        let [young, old] = &self.looks;
        let spoilt = random.chance(1.0 / 12.0);
        let spread = if spoilt { random.between(1.1, 1.6) } else { random.between(0.62, 0.95) } as f32;
        let noise = vector(random);
        let mixed = young.iter().zip(old).map(|(young, old)| young * (1.0 - grown) + old * grown);
        length_one(mixed.zip(noise).map(|(own, noise)| own + spread * noise).collect())
    }
}

/// A family of four to six who look alike, two of them children; a dozen friends; strangers who are seen now and then.
fn cast(random: &mut Random) -> Vec<Role> {
    let line = vector(random);
    let mut roles = Vec::new();
    for member in 0..random.whole(4, 6) {
        let looks = leaning(&line, 0.55, random);
        let is_child = (2..4).contains(&member);
        let old = if is_child { leaning(&looks, 1.1, random) } else { looks.clone() };
        let born = if is_child { random.whole(0, 3 * YEAR) } else { -30 * YEAR };
        roles.push(Role { looks: [looks, old], born, weight: random.between(60.0, 100.0) });
    }
    for _ in 0..12 {
        let looks = vector(random);
        roles.push(Role { looks: [looks.clone(), looks], born: -30 * YEAR, weight: random.lognormal(9.0, 0.6) });
    }
    for _ in 0..60 {
        let looks = vector(random);
        roles.push(Role { looks: [looks.clone(), looks], born: -30 * YEAR, weight: random.between(0.05, 0.5) });
    }
    roles
}

fn pick(roles: &[Role], random: &mut Random) -> usize {
    let mut left = random.between(0.0, roles.iter().map(|role| role.weight).sum());
    roles
        .iter()
        .position(|role| {
            left -= role.weight;
            left < 0.0
        })
        .unwrap_or(0)
}

/// A vector that leans to another: the more, the more alike.
fn leaning(to: &[f32], by: f32, random: &mut Random) -> Vec<f32> {
    let own = vector(random);
    length_one(own.iter().zip(to).map(|(own, to)| own + by * to).collect())
}

/// Of length 1, anywhere.
fn vector(random: &mut Random) -> Vec<f32> {
    // Sums of uniform numbers are normal enough.
    length_one((0..LENGTH).map(|_| (0..6).map(|_| random.between(-1.0, 1.0) as f32).sum()).collect())
}

fn length_one(vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|part| part * part).sum::<f32>().sqrt().max(f32::EPSILON);
    vector.into_iter().map(|part| part / length).collect()
}
