//! Dead letters: the messages that a dead-letter queue ended up with, kept until they are redriven or dropped.

use std::sync::Arc;

use photovault_domain::{Job, Letter, Media, MediaId, Stage, State, UtcMs};
use serde::{Deserialize, Serialize};

use crate::{
    Catalog, Change, Mutant, Names, Page,
    jobs::queue_url,
    mutated,
    rows::{row_of, value_of},
    seams::{Expect, Outgoing, Queue, RowKey, SeamResult, Table, Write},
};

/// Letters that are read at once.
const PAGE: u32 = 100;
/// The partition of letters that were given up.
const DROPPED: &str = "DROPPED";

/// A letter that was given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// The letter, as it was.
    pub letter: Letter,
    /// Why its work is not wanted any more, in somebody's words.
    pub because: String,
    /// When.
    pub at: UtcMs,
}

/// The letters of all stages, one partition a stage.
#[derive(Clone)]
pub struct Letters {
    table: Arc<dyn Table>,
    queue: Arc<dyn Queue>,
    catalog: Catalog,
    names: Arc<Names>,
}

impl Letters {
    pub(crate) fn new(table: Arc<dyn Table>, queue: Arc<dyn Queue>, catalog: Catalog, names: Arc<Names>) -> Self {
        Self { table, queue, catalog, names }
    }

    /// Keeps a letter; one that is kept already changes nothing.
    pub async fn keep(&self, letter: &Letter) -> SeamResult<()> {
        self.table.put(row_of(letter, letter_key(letter)), Expect::Absent).await.map(|_| ())
    }

    /// A stage's letters, oldest first.
    pub async fn list(&self, stage: &str, after: Option<&str>, limit: u32) -> SeamResult<Page<Letter>> {
        let rows = self.table.rows(&format!("X#{stage}"), "", after, limit).await?;
        Ok(Page { items: rows.items.iter().map(|row| value_of(row)).collect::<SeamResult<_>>()?, next: rows.next })
    }

    /// A stage's letters of one item.
    pub async fn of_item(&self, stage: Stage, media: &MediaId) -> SeamResult<Vec<Letter>> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = self.list(stage.name(), after.as_deref(), PAGE).await?;
            found.extend(page.items.into_iter().filter(|letter| letter.media.as_ref() == Some(media)));
            after = page.next;
            if after.is_none() {
                return Ok(found);
            }
        }
    }

    /// Asks for a stage of an item again, and forgets the letters of its failure; `false` if there is nothing to ask for.
    ///
    /// Validation begins with the upload's message, which is a letter by now; every other stage with the item. The item
    /// comes first: a crash between leaves letters that are outdated, and their redrive finds so.
    pub async fn retry(&self, media: &Media, stage: Stage) -> SeamResult<bool> {
        if stage == Stage::Validate {
            let letters = self.of_item(stage, &media.id).await?;
            for letter in &letters {
                self.redrive(letter).await?;
            }
            return Ok(!letters.is_empty());
        }
        let mut asked = false;
        let ask = |item: Option<Media>| {
            let change = Change::asked_again(item, stage);
            asked = matches!(change, Change::Put(_));
            change
        };
        self.catalog.change(&media.user, &media.id, ask).await?;
        if asked {
            for letter in self.of_item(stage, &media.id).await? {
                self.discard(&letter).await?;
            }
        }
        Ok(asked)
    }

    /// Gives a letter's work to its stage again and forgets the letter, in this order: a crash between leaves both, and
    /// the second redrive finds the work done.
    ///
    /// Work on an item is asked for anew on the item, and the catalog's stream sends the job: the old message would find
    /// its stage ended. Any other message is sent as it was.
    pub async fn redrive(&self, letter: &Letter) -> SeamResult<()> {
        if mutated(Mutant::RedriveForgetsFirst) {
            self.discard(letter).await?;
        }
        match serde_json::from_str::<Job>(&letter.body) {
            Ok(job) if !mutated(Mutant::RedriveResends) => self.ask_again(&job).await?,
            _ => {
                let url = queue_url(&self.names, &letter.stage)?;
                let in_order = Stage::from_name(&letter.stage).is_some_and(|stage| stage.spec().in_order);
                let group = in_order.then(|| letter.id.clone());
                self.queue.send(url, vec![Outgoing { body: letter.body.clone(), delay_s: 0, group }]).await?;
            }
        }
        self.discard(letter).await
    }

    /// What has not failed, or was asked for again already, is left alone.
    async fn ask_again(&self, job: &Job) -> SeamResult<()> {
        let failed = |media: &Media| {
            let entry = media.ledger.get(&job.stage);
            !job.is_outdated(media) && entry.is_some_and(|entry| entry.state == State::Failed)
        };
        let ask = |item: Option<Media>| match item.filter(failed) {
            Some(mut media) => {
                media.retry(job.stage);
                if mutated(Mutant::RetryIsNotCounted) {
                    media.ledger.values_mut().for_each(|entry| entry.asked = 0);
                }
                Change::Put(media)
            }
            None => Change::Leave,
        };
        self.catalog.change(&job.user, &job.media, ask).await.map(|_| ())
    }

    /// Gives a letter up for good: its work is not wanted any more. It is moved, with who gave it up and why, to where nothing removes it.
    pub async fn drop(&self, letter: &Letter, because: &str, at: UtcMs) -> SeamResult<()> {
        let dropped = Dropped { letter: letter.clone(), because: because.to_owned(), at };
        let key = RowKey { pk: DROPPED.to_owned(), sk: format!("{}#{}#{}", at.sort_key(), letter.stage, letter.id) };
        let writes = vec![Write::Set(row_of(&dropped, key)), Write::Remove(letter_key(letter))];
        self.table.put_all(writes).await.map(|_| ())
    }

    /// Letters that were given up for good, oldest first.
    pub async fn dropped(&self, after: Option<&str>, limit: u32) -> SeamResult<Page<Dropped>> {
        let rows = self.table.rows(DROPPED, "", after, limit).await?;
        Ok(Page { items: rows.items.iter().map(|row| value_of(row)).collect::<SeamResult<_>>()?, next: rows.next })
    }

    /// Forgets a letter.
    pub async fn discard(&self, letter: &Letter) -> SeamResult<()> {
        self.table.remove(&letter_key(letter)).await
    }
}

fn letter_key(letter: &Letter) -> RowKey {
    RowKey { pk: format!("X#{}", letter.stage), sk: letter.id.clone() }
}
