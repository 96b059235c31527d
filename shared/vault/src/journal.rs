//! Journals of a user: what was said or done, line after line, of which the last is taken back first.

use std::{marker::PhantomData, sync::Arc};

use photovault_domain::UserId;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    rows::{each_row, row_of, sort_key, value_of},
    seams::{Clock, Expect, RowKey, SeamError, SeamResult, Table, Write, Written},
    told::told_write,
};

/// Lines that one request reads.
const PAGE: u32 = 200;

/// The journals of one kind.
#[derive(Clone)]
pub struct Journal<T> {
    table: Arc<dyn Table>,
    clock: Arc<dyn Clock>,
    /// What a user's partition ends with.
    kind: &'static str,
    lines: PhantomData<T>,
}

/// A line in a row.
#[derive(Serialize, Deserialize)]
struct Line<T> {
    line: T,
}

impl<T: Serialize + DeserializeOwned> Journal<T> {
    pub(crate) fn new(table: Arc<dyn Table>, clock: Arc<dyn Clock>, kind: &'static str) -> Self {
        Self { table, clock, kind, lines: PhantomData }
    }

    /// All lines of a user that were not taken back, in order.
    pub async fn lines(&self, user: &UserId) -> SeamResult<Vec<T>> {
        let mut lines = Vec::new();
        each_row(&*self.table, &self.partition(user), "", None, PAGE, |row| {
            lines.push(value_of::<Line<T>>(row)?.line);
            Ok(())
        })
        .await?;
        Ok(lines)
    }

    /// Adds a line: the last one, also where the clock went back.
    pub async fn add(&self, user: &UserId, line: T) -> SeamResult<()> {
        let last = self.last(user).await?.and_then(|(key, _)| key.parse::<u64>().ok());
        let number = last.map_or(0, |last| last + 1).max(self.clock.now().0.unsigned_abs());
        let key = RowKey { pk: self.partition(user), sk: format!("{number:013}") };
        let row = Write::Put(row_of(&Line { line }, key), Expect::Absent);
        match self.table.put_all(vec![row, told_write(user, &*self.clock)]).await? {
            Written::Yes => Ok(()),
            Written::Conflict => Err(SeamError { asked: format!("line for {user}"), answer: "another came first".into() }),
        }
    }

    /// The last line with its key.
    pub async fn last(&self, user: &UserId) -> SeamResult<Option<(String, T)>> {
        // Behind every line: they begin with a digit.
        let last = self.table.rows_before(&self.partition(user), ":", 1).await?;
        last.first().map(|row| Ok((sort_key(row).to_owned(), value_of::<Line<T>>(row)?.line))).transpose()
    }

    /// Takes a line back; twice is once.
    pub async fn take_back(&self, user: &UserId, key: &str) -> SeamResult<()> {
        let row = Write::Remove(RowKey { pk: self.partition(user), sk: key.to_owned() });
        self.table.put_all(vec![row, told_write(user, &*self.clock)]).await.map(|_| ())
    }

    fn partition(&self, user: &UserId) -> String {
        format!("U#{user}#{}", self.kind)
    }
}
