//! After the faults stop, everything ends within a bound, and at rest nothing is under way.

use std::{collections::BTreeMap, sync::Arc};

use photovault_domain::Media;
use photovault_sim::World;

use super::Key;

/// Whether a history has gone on for too long.
pub(super) fn goes_on(steps: u32, most_steps: u32, since_ms: i64, most_ms: i64) -> Result<(), String> {
    if steps > most_steps {
        return Err(format!("{steps} steps, and no end"));
    }
    if since_ms > most_ms {
        return Err(format!("{} s since the last fault, and no end", since_ms / 1000));
    }
    Ok(())
}

/// Whether everything has ended.
pub(super) fn at_rest(items: &BTreeMap<Key, Arc<Media>>, world: &World) -> Result<(), String> {
    if let Some(media) = items.values().find(|media| !media.is_settled()) {
        let states: Vec<String> = media.ledger.iter().map(|(stage, entry)| format!("{stage} {:?}", entry.state)).collect();
        return Err(format!("{} has not ended: {}", media.name(), states.join(", ")));
    }
    let left = world.rows.keys().filter(|(_, sk)| sk.starts_with("M#")).count();
    if left == items.len() { Ok(()) } else { Err(format!("{left} items are there, {} were written", items.len())) }
}
