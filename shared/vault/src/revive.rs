//! Work whose message is lost: an item's due stages are sent again.
//!
//! Whoever loses a job or a record of the stream, the item that it was about still says what is due, and the sparse index
//! still finds the item. So nothing needs to know what was lost. A job that is on its way after all is then there twice,
//! and a stage that has ended does nothing.

use photovault_domain::{Job, Letter, Media, Stage, UtcMs, open_stages};

use crate::{Mutant, Vault, mutated, seams::SeamResult, spans::sending_again};

/// Items that one page of the index has.
const PAGE: u32 = 100;
/// Two clocks are at most so far apart: each at most five minutes off.
const MAX_CLOCKS_APART_MS: i64 = 600_000;

/// Sends an item's due stages; gives them.
pub async fn revive(vault: &Vault, media: &Media) -> SeamResult<Vec<Stage>> {
    let stages = open_stages(media);
    for stage in &stages {
        let _span = sending_again(media, *stage);
        vault.jobs.send(*stage, &[(Job::of(media, *stage), 0)]).await?;
    }
    Ok(stages)
}

/// Redrives letters of `dispatch`, and forgets them; gives how many items were sent on.
///
/// Such a letter names a range of the stream, which forgets after a day, and not the items. But an item whose stages were
/// not sent is not settled, so it is in the index, and it was made before the record was given up: every item up to that
/// age is looked at.
pub async fn redrive_stream(vault: &Vault, letters: &[Letter]) -> SeamResult<u64> {
    let Some(last) = letters.iter().map(|letter| letter.died).max() else { return Ok(0) };
    let until = UtcMs(last.0 + MAX_CLOCKS_APART_MS);
    let mut sent = 0;
    let mut after: Option<String> = None;
    'pages: loop {
        let page = vault.catalog.unsettled(after.as_deref(), PAGE).await?;
        for media in &page.items {
            if media.created > until || mutated(Mutant::StreamIsForgotten) {
                break 'pages;
            }
            sent += u64::from(!revive(vault, media).await?.is_empty());
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    for letter in letters {
        vault.letters.discard(letter).await?;
    }
    Ok(sent)
}
