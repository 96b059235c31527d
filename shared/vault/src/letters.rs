//! Dead letters: the messages that a dead-letter queue ended up with, kept until they are redriven or dropped.

use std::sync::Arc;

use photovault_domain::Letter;

use crate::{
    Names, Page,
    jobs::queue_url,
    rows::{row_of, value_of},
    seams::{Expect, Outgoing, Queue, RowKey, SeamResult, Table},
};

/// The letters of all stages, one partition a stage.
#[derive(Clone)]
pub struct Letters {
    table: Arc<dyn Table>,
    queue: Arc<dyn Queue>,
    names: Arc<Names>,
}

impl Letters {
    pub(crate) fn new(table: Arc<dyn Table>, queue: Arc<dyn Queue>, names: Arc<Names>) -> Self {
        Self { table, queue, names }
    }

    /// Keeps a letter; one that is kept already changes nothing.
    pub async fn keep(&self, letter: &Letter) -> SeamResult<()> {
        self.table.put(row_of(letter, letter_key(letter)), Expect::Absent).await.map(|_| ())
    }

    /// A stage's letters, oldest first.
    pub async fn list(&self, stage: &str, after: Option<&str>, limit: u32) -> SeamResult<Page<Letter>> {
        let rows = self.table.rows(&format!("X#{stage}"), "", after, limit).await?;
        Ok(Page { items: rows.items.into_iter().map(value_of).collect::<SeamResult<_>>()?, next: rows.next })
    }

    /// Sends a letter's message to its stage again and forgets the letter, in this order: a crash between leaves
    /// both, and the second redrive finds the work done.
    pub async fn redrive(&self, letter: &Letter) -> SeamResult<()> {
        let url = queue_url(&self.names, &letter.stage)?;
        self.queue.send(url, vec![Outgoing { body: letter.body.clone(), delay_s: 0 }]).await?;
        self.discard(letter).await
    }

    /// Forgets a letter.
    pub async fn discard(&self, letter: &Letter) -> SeamResult<()> {
        self.table.remove(&letter_key(letter)).await
    }
}

fn letter_key(letter: &Letter) -> RowKey {
    RowKey { pk: format!("X#{}", letter.stage), sk: letter.id.clone() }
}
