//! What a user does not want to be told of: people, places and days that no memory shows. The photos themselves stay where they are.

use std::sync::Arc;

use photovault_domain::{Hidden, UserId};

use crate::{
    rows::{row_of, value_at},
    seams::{Clock, Expect, RowKey, SeamResult, Table, Write, Written},
    told::told_write,
};

/// What users hide.
#[derive(Clone)]
pub struct Hiding {
    table: Arc<dyn Table>,
    clock: Arc<dyn Clock>,
}

impl Hiding {
    pub(crate) fn new(table: Arc<dyn Table>, clock: Arc<dyn Clock>) -> Self {
        Self { table, clock }
    }

    /// What a user hides.
    pub async fn of(&self, user: &UserId) -> SeamResult<Hidden> {
        Ok(value_at(&*self.table, &key(user)).await?.unwrap_or_default())
    }

    /// Hides this from now on, over what was read; whether nobody came first.
    pub async fn write(&self, user: &UserId, hidden: &Hidden) -> SeamResult<Written> {
        let next = Hidden { version: hidden.version + 1, ..hidden.clone() };
        let row = Write::Put(row_of(&next, key(user)), Expect::read(hidden.version));
        self.table.put_all(vec![row, told_write(user, &*self.clock)]).await
    }
}

fn key(user: &UserId) -> RowKey {
    RowKey { pk: format!("U#{user}"), sk: "hidden".to_owned() }
}
