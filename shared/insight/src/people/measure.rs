//! How well faces are told apart: B-cubed precision and recall (Bagga and Baldwin 1998), of faces whose truth is known.

use std::collections::HashMap;
use std::hash::Hash;

/// Means over all faces, 0..=1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BCubed {
    /// Of those that a face is put together with, itself included, the share that is of the same person.
    pub precision: f64,
    /// Of those of the same person, itself included, the share that it is put together with.
    pub recall: f64,
}

impl BCubed {
    /// Of pairs of what was found and what is true. What is nobody's (`None`) is put together with nothing.
    pub fn of<F: Eq + Hash + Copy, T: Eq + Hash + Copy>(faces: &[(Option<F>, T)]) -> Self {
        let (mut found, mut truth, mut both) = (HashMap::new(), HashMap::new(), HashMap::new());
        for (cluster, person) in faces {
            *truth.entry(*person).or_insert(0_u32) += 1;
            if let Some(cluster) = cluster {
                *found.entry(*cluster).or_insert(0_u32) += 1;
                *both.entry((*cluster, *person)).or_insert(0_u32) += 1;
            }
        }
        let (mut precision, mut recall) = (0.0, 0.0);
        for (cluster, person) in faces {
            let together = cluster.map_or(1, |cluster| both[&(cluster, *person)]);
            precision += f64::from(together) / f64::from(cluster.map_or(1, |cluster| found[&cluster]));
            recall += f64::from(together) / f64::from(truth[person]);
        }
        let count = faces.len().max(1) as f64;
        Self { precision: precision / count, recall: recall / count }
    }

    /// Their harmonic mean.
    pub fn f(self) -> f64 {
        2.0 * self.precision * self.recall / (self.precision + self.recall).max(f64::EPSILON)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_case_by_hand() {
        // Two of a and one of b together, one a alone.
        let scores = BCubed::of(&[(Some(1), 'a'), (Some(1), 'a'), (Some(1), 'b'), (None, 'a')]);
        assert!((scores.precision - (2.0 / 3.0 + 2.0 / 3.0 + 1.0 / 3.0 + 1.0) / 4.0).abs() < 1e-9);
        assert!((scores.recall - (2.0 / 3.0 + 2.0 / 3.0 + 1.0 + 1.0 / 3.0) / 4.0).abs() < 1e-9);
        let right = BCubed::of(&[(Some(1), 'a'), (Some(1), 'a'), (Some(2), 'b')]);
        assert!((right.f() - 1.0).abs() < 1e-9);
    }
}
