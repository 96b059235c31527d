//! At rest each timeline holds exactly the items that have their place, moments begin where a batch over all of it says, and photos are counted
//! by place and day as it counts them.

use std::collections::BTreeMap;

use photovault_domain::{Boundary, Media, Placed, Stage, State, UserId};
use photovault_insight::{
    bases::{Count, Presence},
    moments::{Edits, Shot, boundaries},
};
use photovault_vault::Beginning;
use serde::Deserialize as _;

use super::{Promise, Scene};

pub(super) struct Moments;

impl Promise for Moments {
    fn name(&self) -> &'static str {
        "moments"
    }

    fn at_rest(&mut self, scene: &Scene, _cured: bool) -> Result<(), String> {
        let mut wanted: BTreeMap<&UserId, BTreeMap<String, Placed>> = BTreeMap::new();
        for media in scene.items.values().filter(|media| is_placed(media)) {
            let placed = Placed { media: media.id.clone(), taken: media.taken(), begins: None };
            wanted.entry(&media.user).or_default().insert(placed.key(), placed);
        }
        for (user, items) in &mut wanted {
            let shots: Vec<Shot> = items.values().map(|placed| Shot::from(&placed.taken)).collect();
            for (placed, begins) in items.values_mut().zip(boundaries(&shots, &Edits::default())) {
                placed.begins = begins;
            }
            let stored = rows(scene, &format!("U#{user}#T"), |row| Placed::deserialize(row))?;
            if stored != *items {
                return Err(format!("the timeline of {user} is {stored:?} and should be {items:?}"));
            }
            let listed = rows(scene, &format!("U#{user}#B"), |row| Beginning::deserialize(row))?;
            let listed: BTreeMap<String, Boundary> = listed.into_iter().map(|(key, beginning)| (key, beginning.why)).collect();
            let begins: BTreeMap<String, Boundary> =
                items.iter().filter_map(|(key, placed)| Some((key.clone(), placed.begins?))).collect();
            if listed != begins {
                return Err(format!("the moments of {user} begin at {listed:?} and should at {begins:?}"));
            }
            let counted: Presence = rows(scene, &format!("U#{user}#H"), |row| Count::deserialize(row))?.into_iter().collect();
            let counts = Presence::of(&items.values().cloned().collect::<Vec<_>>());
            if counted != counts {
                return Err(format!("the photos of {user} are counted as {counted:?} and should be as {counts:?}"));
            }
        }
        let placed: usize = wanted.values().map(BTreeMap::len).sum();
        let there = scene.world.rows.keys().filter(|(pk, _)| pk.ends_with("#T")).count();
        if there == placed { Ok(()) } else { Err(format!("{there} places are taken by {placed} items")) }
    }
}

fn is_placed(media: &Media) -> bool {
    media.trashed.is_none() && media.ledger.get(&Stage::Memories).is_some_and(|entry| entry.state == State::Done)
}

/// The rows of a partition.
fn rows<T>(
    scene: &Scene,
    pk: &str,
    read: impl Fn(&photovault_vault::seams::Row) -> Result<T, serde_json::Error>,
) -> Result<BTreeMap<String, T>, String> {
    let of_partition = scene.world.rows.iter().filter(|((of, _), _)| of == pk);
    of_partition.map(|((_, sk), row)| Ok((sk.clone(), read(row).map_err(|error| error.to_string())?))).collect()
}
