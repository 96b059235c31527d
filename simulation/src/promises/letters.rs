//! Dead letters are exactly what cannot succeed: no innocent message dies of its neighbours or of faults alone, every
//! failure has its letter, and every letter its failure.

use std::collections::BTreeSet;

use photovault_domain::{Job, Letter, Stage, State};
use photovault_validate::created_uploads;
use serde::Deserialize as _;

use super::{Event, Promise, Scene};

pub(super) struct Letters;

impl Promise for Letters {
    fn name(&self) -> &'static str {
        "letters"
    }

    fn step(&mut self, event: &Event, scene: &Scene) -> Result<(), String> {
        match event {
            Event::Buried { queue, body } if !scene.truth.is_poison(queue, body) => {
                Err(format!("an innocent message of {queue} was dead-lettered: {body}"))
            }
            _ => Ok(()),
        }
    }

    fn at_rest(&mut self, scene: &Scene, cured: bool) -> Result<(), String> {
        let (mut failures, mut garbage) = (BTreeSet::new(), BTreeSet::new());
        for letter in letters(scene)? {
            if scene.truth.garbage.contains(&letter.body) {
                garbage.insert(letter.body);
                continue;
            }
            let what = || format!("a letter of {} ({})", letter.stage, letter.name);
            if cured {
                return Err(format!("{} is left although nothing is wrong any more", what()));
            }
            if letter.stage == Stage::Validate.name() {
                let uploads = created_uploads(&letter.body).unwrap_or_default();
                let forbidden = |of: &photovault_vault::UploadRef| {
                    scene.truth.at(&of.key, &of.version).is_some_and(|upload| scene.truth.is_forbidden(upload))
                };
                if !uploads.iter().any(forbidden) {
                    return Err(format!("{} is kept of an upload that can be taken in", what()));
                }
                failures.extend(letter.media.clone().map(|media| (media, Stage::Validate)));
                continue;
            }
            let job: Job = serde_json::from_str(&letter.body).map_err(|error| format!("{}: {error}", what()))?;
            let mut items = scene.items.values().filter(|media| media.id == job.media && media.user == job.user);
            let item = items.next();
            let entry = item.and_then(|media| media.ledger.get(&job.stage));
            // Of an item that left: a redrive finds nothing to do.
            let has_left = || scene.truth.has_left(&job.media);
            let earlier = item.map_or_else(has_left, |media| job.created != Some(media.created));
            let outdated = earlier || scene.truth.interrupted && entry.is_some_and(|entry| entry.asked > job.asked);
            if !outdated && !entry.is_some_and(|entry| entry.state == State::Failed && entry.asked == job.asked) {
                return Err(format!("{} is kept, and its stage stands at {entry:?}", what()));
            }
            if !earlier {
                failures.insert((job.media, job.stage));
            }
        }
        if garbage != scene.truth.garbage {
            return Err(format!("of the messages that nobody can read, {:?}, only {garbage:?} are kept", scene.truth.garbage));
        }
        for media in scene.items.values() {
            for stage in media.failed_stages() {
                if !failures.contains(&(media.id.clone(), stage)) {
                    return Err(format!("{stage} of {} failed, and no letter is kept of it", media.name()));
                }
            }
        }
        Ok(())
    }
}

fn letters(scene: &Scene) -> Result<Vec<Letter>, String> {
    let rows = scene.world.rows.iter().filter(|((pk, _), _)| pk.starts_with(super::LETTERS));
    rows.map(|(_, row)| Letter::deserialize(&**row).map_err(|error| format!("a letter cannot be read: {error}"))).collect()
}
