//! Who told the vault something about people, or what to hide, since a backup looked: a row of each user that every such write changes.

use std::collections::BTreeMap;

use photovault_domain::{Hidden, Merge, PeopleEdit, UserId};
use serde::{Deserialize, Serialize};

use crate::{
    Vault,
    rows::{each_row, row_of, sort_key, value_at, value_of},
    seams::{Clock, RowKey, SeamError, SeamResult, Write, Written},
};

/// The partition, and how many users one request lists.
const TOLD: &str = "TOLD";
const USERS: u32 = 1000;

#[derive(Serialize, Deserialize)]
struct Told {
    change: u64,
}

/// Part of every transaction that writes what a user says: another number than before.
pub(crate) fn told_write(user: &UserId, clock: &dyn Clock) -> Write {
    // DynamoDB and JSON keep numbers of 53 bits as they are.
    let told = Told { change: clock.random() & ((1 << 53) - 1) };
    Write::Set(row_of(&told, told_key(user)))
}

fn told_key(user: &UserId) -> RowKey {
    RowKey { pk: TOLD.to_owned(), sk: user.to_string() }
}

impl Vault {
    /// Every user who ever said something about people or hid something, with the number of the latest change.
    pub async fn told(&self) -> SeamResult<BTreeMap<UserId, u64>> {
        let mut found = BTreeMap::new();
        each_row(&*self.catalog.table, TOLD, "", None, USERS, |row| {
            found.extend(sort_key(row).parse::<UserId>().ok().zip(Some(value_of::<Told>(row)?.change)));
            Ok(())
        })
        .await?;
        Ok(found)
    }

    /// The number of a user's latest word about people, or of what to hide; `None` of who never said anything.
    pub async fn last_word(&self, user: &UserId) -> SeamResult<Option<u64>> {
        let told: Option<Told> = value_at(&*self.catalog.table, &told_key(user)).await?;
        Ok(told.map(|told| told.change))
    }

    /// Says again what a user had said, as a backup has it. Who has said anything by now is left alone: that is newer.
    pub async fn tell_again(
        &self,
        user: &UserId,
        people: Vec<Vec<PeopleEdit>>,
        hidden: Hidden,
        merges: Vec<Merge>,
    ) -> SeamResult<()> {
        if self.people_said.last(user).await?.is_none() {
            for edits in people {
                self.people_said.add(user, edits).await?;
            }
        }
        if self.merges.last(user).await?.is_none() {
            for merge in merges {
                self.merges.add(user, merge).await?;
            }
        }
        let known = self.hiding.of(user).await?;
        if known.is_empty() && !hidden.is_empty() {
            let again = Hidden { version: known.version, ..hidden };
            if self.hiding.write(user, &again).await? == Written::Conflict {
                return Err(SeamError { asked: format!("what {user} hides"), answer: "another came first".into() });
            }
        }
        Ok(())
    }
}
