//! Each accepted upload reaches exactly one end, the end that its bytes deserve; an end stands until somebody asks again.

use photovault_domain::{Media, Stage, State, Status};

use super::{Event, Promise, Scene};

pub(super) struct Ends;

impl Promise for Ends {
    fn name(&self) -> &'static str {
        "ends"
    }

    fn step(&mut self, event: &Event, scene: &Scene) -> Result<(), String> {
        let Event::Item { by_person, before, after, .. } = event else { return Ok(()) };
        if let Some(before) = before {
            stands(scene, before, after, *by_person)?;
        }
        for (stage, entry) in &after.ledger {
            let name = after.name();
            if entry.state == State::Failed && *stage != Stage::Validate && !scene.truth.poisons(&after.id, *stage) {
                return Err(format!("{stage} of {name} failed although nothing is wrong with it: {:?}", entry.reason));
            }
            if entry.state == State::Rejected && deserved(scene, after).is_some_and(|end| end == Status::Ready) {
                return Err(format!("{stage} of {name} was rejected although nothing is wrong with it: {:?}", entry.reason));
            }
        }
        Ok(())
    }

    fn at_rest(&mut self, scene: &Scene, cured: bool) -> Result<(), String> {
        for upload in &scene.truth.uploads {
            let version = upload.version.as_deref().unwrap_or_default();
            let names = |media: &&Media| media.uploads.iter().any(|it| it.key == upload.key && it.version == version);
            let ends: Vec<&Media> = scene.items.values().map(AsRef::as_ref).filter(names).collect();
            let what = || format!("upload {} {version} ({:?})", upload.key, upload.kind);
            // Taken in but not removed in five attempts shows two ends until its letter is redriven: known and accepted.
            let most = if !cured && scene.lies_there(upload) { 2 } else { 1 };
            if ends.is_empty() && scene.truth.was_let_go(upload) {
                continue;
            }
            if ends.is_empty() || ends.len() > most {
                return Err(format!("{} has {} ends", what(), ends.len()));
            }
            for media in ends {
                let status = media.status();
                let is_item = media.id == upload.media;
                let poisoned = media.ledger.keys().any(|stage| scene.truth.poisons(&media.id, *stage));
                let failed_by_poison = !cured && status == Status::Failed && (poisoned || scene.truth.is_forbidden(upload));
                let well = is_item && status == upload.kind.end();
                if !well && !failed_by_poison {
                    return Err(format!("{} ended as {status:?}: {:?}", what(), media.reason()));
                }
            }
        }
        Ok(())
    }
}

/// The end that an item's bytes deserve; `None` for a placeholder.
fn deserved(scene: &Scene, media: &Media) -> Option<Status> {
    scene.truth.of_media(&media.id).next().map(|upload| upload.kind.end())
}

/// What a function leaves to the worker is asked for once more, by the function that works on it, and only once.
fn is_handed_on(stage: Stage, before: &Media, after: &Media) -> bool {
    let left = |media: &Media| media.video.as_ref().is_some_and(|video| video.work_s > 0);
    let (old, new) = (&before.ledger[&stage], &after.ledger[&stage]);
    stage == Stage::Video && new.asked == old.asked + 1 && !old.state.is_final() && !left(before) && left(after)
}

fn stands(scene: &Scene, before: &Media, after: &Media, by_person: bool) -> Result<(), String> {
    // The same bytes again bring it back out of the trash.
    let came_back = before.trashed.is_some() && after.trashed.is_none() && after.uploads.len() > before.uploads.len();
    for (stage, old) in &before.ledger {
        let name = before.name();
        let Some(new) = after.ledger.get(stage) else { return Err(format!("{stage} of {name} is off the ledger")) };
        // What it says of itself comes from more than its bytes, and where that came late it may end otherwise.
        let renewed = matches!(stage, Stage::Metadata | Stage::Notify) && scene.truth.is_reread(after);
        let asked_again = ((by_person || came_back || renewed) && new.asked > old.asked) || is_handed_on(*stage, before, after);
        if new.asked != old.asked && !asked_again {
            return Err(format!("{stage} of {name} was asked for again by nobody: {} → {}", old.asked, new.asked));
        }
        if old.state.is_final() && !asked_again && new != old {
            return Err(format!("{stage} of {name} had ended as {:?} and became {:?}", old.state, new.state));
        }
        if old.state == State::Running && new.state == State::Pending && !asked_again {
            return Err(format!("{stage} of {name} was running and is pending"));
        }
    }
    Ok(())
}
