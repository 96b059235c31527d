//! Queues and all that happens to messages besides being received.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{Counts, Letter, NoSuchQueue, QueueSpec, Queues, random_id};
use crate::clock::now_ms;

/// How long a FIFO queue refuses a second message with the same deduplication id.
const DEDUPLICATION_MS: i64 = 5 * 60 * 1000;

impl Queues {
    /// Creates a queue or updates its attributes.
    pub async fn create(&self, spec: QueueSpec) -> anyhow::Result<()> {
        let (dead_letters, max_receive_count) = spec.redrive.unzip();
        self.store
            .write(move |connection| {
                connection
                    .prepare_cached(
                        "INSERT INTO queues (name, visibility_timeout_s, retention_s, delay_s, dead_letters, max_receive_count, fifo, created_ms)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                         ON CONFLICT (name) DO UPDATE SET visibility_timeout_s = ?2, retention_s = ?3, delay_s = ?4, dead_letters = ?5,
                         max_receive_count = ?6, fifo = ?7",
                    )?
                    .execute(params![
                        spec.name,
                        spec.visibility_timeout_s,
                        spec.retention_s,
                        spec.delay_s,
                        dead_letters,
                        max_receive_count,
                        spec.fifo,
                        now_ms()
                    ])?;
                Ok(())
            })
            .await
    }

    /// Removes a queue and its messages.
    pub async fn remove(&self, queue: &str) -> anyhow::Result<()> {
        let name = queue.to_owned();
        self.store
            .write(move |connection| {
                connection.execute("DELETE FROM messages WHERE queue = ?1", [&name])?;
                connection.execute("DELETE FROM deduplications WHERE queue = ?1", [&name])?;
                connection.execute("DELETE FROM queues WHERE name = ?1", [&name])?;
                Ok(())
            })
            .await
    }

    /// Names of all queues.
    #[expect(clippy::unused_async, reason = "one shape for all operations of a service")]
    pub async fn list(&self) -> anyhow::Result<Vec<String>> {
        self.store.read(|connection| {
            let mut names = connection.prepare_cached("SELECT name FROM queues ORDER BY name")?;
            Ok(names.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
        })
    }

    /// A queue's attributes; `None` if there is no such queue.
    #[expect(clippy::unused_async, reason = "one shape for all operations of a service")]
    pub async fn spec(&self, queue: &str) -> anyhow::Result<Option<QueueSpec>> {
        self.store.read(|connection| find_spec(connection, queue))
    }

    /// Sends; durable when it returns the message id. A delay of zero means the queue's own.
    pub async fn send(
        &self,
        queue: &str,
        body: String,
        delay_s: u32,
        attributes: BTreeMap<String, serde_json::Value>,
    ) -> anyhow::Result<String> {
        let letter = Letter { body, delay_s: (delay_s > 0).then_some(delay_s), attributes, ..Letter::default() };
        self.send_all(queue, vec![letter]).await?.pop().context("a send gives one id")
    }

    /// Sends all or none; gives the message ids in order.
    pub async fn send_all(&self, queue: &str, letters: Vec<Letter>) -> anyhow::Result<Vec<String>> {
        let name = queue.to_owned();
        let ids = self
            .store
            .write(move |connection| {
                letters.iter().map(|letter| insert(connection, &name, letter)).collect::<anyhow::Result<_>>()
            })
            .await?;
        self.ring(queue);
        Ok(ids)
    }

    /// Deletes by receipt; a stale receipt is not an error.
    pub async fn delete(&self, queue: &str, receipts: &[String]) -> anyhow::Result<()> {
        let (name, receipts) = (queue.to_owned(), receipts.to_vec());
        self.store
            .write(move |connection| {
                let mut delete = connection.prepare_cached("DELETE FROM messages WHERE receipt = ?1 AND queue = ?2")?;
                for receipt in &receipts {
                    delete.execute(params![receipt, name])?;
                }
                Ok(())
            })
            .await?;
        // A FIFO group that waited for this message can go on.
        if super::has_fifo_suffix(queue) {
            self.ring(queue);
        }
        Ok(())
    }

    /// Sets when the message can be received again; whether the receipt still held it.
    pub async fn change_visibility(&self, queue: &str, receipt: &str, seconds: u32) -> anyhow::Result<bool> {
        let (name, receipt) = (queue.to_owned(), receipt.to_owned());
        let held = self
            .store
            .write(move |connection| {
                let now = now_ms();
                // At zero it is nobody's: a crash must not take this receive off the count.
                let held = connection
                    .prepare_cached(
                        "UPDATE messages SET visible_ms = ?1, holder = CASE WHEN ?2 = 0 THEN 0 ELSE holder END
                         WHERE receipt = ?3 AND queue = ?4 AND visible_ms > ?5",
                    )?
                    .execute(params![now + i64::from(seconds) * 1000, seconds, receipt, name, now])?;
                Ok(held > 0)
            })
            .await?;
        self.ring(queue);
        Ok(held)
    }

    /// Approximate numbers.
    #[expect(clippy::unused_async, reason = "one shape for all operations of a service")]
    pub async fn counts(&self, queue: &str) -> anyhow::Result<Counts> {
        self.store.read(|connection| {
            let now = now_ms();
            // By the index alone: these may be many.
            let mut count = connection.prepare_cached("SELECT COUNT(*) FROM messages WHERE queue = ?1 AND visible_ms <= ?2")?;
            let visible = count.query_row(params![queue, now], |row| row.get(0))?;
            let mut count = connection.prepare_cached(
                "SELECT COALESCE(SUM(receipt IS NOT NULL), 0), COALESCE(SUM(receipt IS NULL), 0)
                 FROM messages WHERE queue = ?1 AND visible_ms > ?2",
            )?;
            let (in_flight, delayed) = count.query_row(params![queue, now], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(Counts { visible, in_flight, delayed })
        })
    }

    /// When the oldest message was sent, in milliseconds since 1970. It reads all of the queue.
    #[expect(clippy::unused_async, reason = "one shape for all operations of a service")]
    pub async fn oldest_ms(&self, queue: &str) -> anyhow::Result<Option<i64>> {
        self.store.read(|connection| {
            let mut oldest = connection.prepare_cached("SELECT MIN(sent_ms) FROM messages WHERE queue = ?1")?;
            Ok(oldest.query_row([queue], |row| row.get(0))?)
        })
    }

    /// Removes every message.
    pub async fn purge(&self, queue: &str) -> anyhow::Result<()> {
        let name = queue.to_owned();
        self.store
            .write(move |connection| {
                connection.execute("DELETE FROM messages WHERE queue = ?1", [name])?;
                Ok(())
            })
            .await
    }

    /// Moves a dead-letter queue's messages to `to`, or each to the queue it came from; gives how many. As in SQS, a moved message
    /// is a new one: sent now, never received.
    pub async fn redrive(&self, from: &str, to: Option<&str>) -> anyhow::Result<u64> {
        let (from, to) = (from.to_owned(), to.map(str::to_owned));
        let woken = self.store.write(move |connection| move_all(connection, &from, to.as_deref())).await?;
        for queue in woken.iter().collect::<BTreeSet<_>>() {
            self.ring(queue);
        }
        Ok(woken.len() as u64)
    }

    /// After a crash: messages that mappings held become visible at once, that receive not counted.
    pub async fn release_mapping_holds(&self) -> anyhow::Result<()> {
        self.store
            .write(|connection| {
                connection.execute(
                    "UPDATE messages SET visible_ms = ?1, receipt = NULL, holder = 0, receive_count = receive_count - 1,
                     first_received_ms = CASE WHEN receive_count = 1 THEN 0 ELSE first_received_ms END
                     WHERE holder = 2 AND visible_ms > ?1",
                    [now_ms()],
                )?;
                Ok(())
            })
            .await?;
        let bells = self.bells.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        bells.values().for_each(|bell| bell.notify_waiters());
        Ok(())
    }

    /// The same of one queue, whoever held them.
    pub(crate) async fn release_holds(&self, queue: &str) -> anyhow::Result<()> {
        let name = queue.to_owned();
        self.store
            .write(move |connection| {
                connection.execute(
                    "UPDATE messages SET visible_ms = ?1, receipt = NULL, holder = 0
                     WHERE queue = ?2 AND holder <> 0 AND visible_ms > ?1",
                    params![now_ms(), name],
                )?;
                Ok(())
            })
            .await
    }

    /// Drops messages past their queue's retention. It reads every message: call it seldom.
    pub(crate) async fn expire(&self) -> anyhow::Result<()> {
        self.store
            .write(|connection| {
                let now = now_ms();
                connection.execute(
                    "DELETE FROM messages WHERE sent_ms < (SELECT ?1 - retention_s * 1000 FROM queues WHERE name = messages.queue)",
                    [now],
                )?;
                connection.execute("DELETE FROM deduplications WHERE sent_ms < ?1", [now - DEDUPLICATION_MS])?;
                Ok(())
            })
            .await
    }
}

/// Puts a message into a queue's table inside the caller's transaction; ring the queue after the commit.
pub(crate) fn insert(connection: &Connection, queue: &str, letter: &Letter) -> anyhow::Result<String> {
    let spec = find_spec(connection, queue)?.ok_or_else(|| NoSuchQueue(queue.to_owned()))?;
    let (id, now) = (random_id(connection)?, now_ms());
    if let Some(deduplication) = &letter.deduplication {
        let mut known =
            connection.prepare_cached("SELECT message_id FROM deduplications WHERE queue = ?1 AND id = ?2 AND sent_ms > ?3")?;
        let earlier = known.query_row(params![queue, deduplication, now - DEDUPLICATION_MS], |row| row.get(0)).optional()?;
        if let Some(earlier) = earlier {
            return Ok(earlier);
        }
        connection
            .prepare_cached("INSERT OR REPLACE INTO deduplications (queue, id, message_id, sent_ms) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![queue, deduplication, id, now])?;
    }
    let attributes = serde_json::to_string(&letter.attributes)?;
    let visible = now + i64::from(letter.delay_s.unwrap_or(spec.delay_s)) * 1000;
    connection
        .prepare_cached(
            "INSERT INTO messages (queue, message_id, body, attributes, sent_ms, visible_ms, message_group, deduplication)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![queue, id, letter.body, attributes, now, visible, letter.group, letter.deduplication])?;
    Ok(id)
}

pub(super) fn find_spec(connection: &Connection, queue: &str) -> anyhow::Result<Option<QueueSpec>> {
    let mut find = connection.prepare_cached(
        "SELECT name, visibility_timeout_s, retention_s, delay_s, dead_letters, max_receive_count, fifo FROM queues WHERE name = ?1",
    )?;
    let spec = |row: &Row| -> rusqlite::Result<QueueSpec> {
        Ok(QueueSpec {
            name: row.get(0)?,
            visibility_timeout_s: row.get(1)?,
            retention_s: row.get(2)?,
            delay_s: row.get(3)?,
            redrive: row.get::<_, Option<String>>(4)?.zip(row.get(5)?),
            fifo: row.get(6)?,
        })
    };
    Ok(find.query_row([queue], spec).optional()?)
}

/// Gives the target of each moved message. A message that knows no source stays unless `to` is given.
fn move_all(connection: &Connection, from: &str, to: Option<&str>) -> anyhow::Result<Vec<String>> {
    let mut find = connection.prepare_cached("SELECT id, dead_letter_source FROM messages WHERE queue = ?1 ORDER BY id")?;
    let letters: Vec<(i64, Option<String>)> =
        find.query_map([from], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    let mut moved = Vec::with_capacity(letters.len());
    for (id, source) in letters {
        let source = source.as_deref().and_then(|arn| arn.rsplit(':').next());
        let Some(target) = to.or(source) else { continue };
        if find_spec(connection, target)?.is_none() {
            return Err(NoSuchQueue(target.to_owned()).into());
        }
        connection
            .prepare_cached(
                "UPDATE messages SET queue = ?1, message_id = ?2, sent_ms = ?3, visible_ms = ?3, first_received_ms = 0, receive_count = 0,
                 receipt = NULL, holder = 0, dead_letter_source = NULL WHERE id = ?4",
            )?
            .execute(params![target, random_id(connection)?, now_ms(), id])?;
        moved.push(target.to_owned());
    }
    Ok(moved)
}
