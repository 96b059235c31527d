//! Receiving: long polls that sleep until a message is due, holds, and the way to the dead-letter queue.

use std::time::Duration;

use rusqlite::{Connection, Row, params};
use tokio::time::Instant;

use super::{Holder, Message, NoSuchQueue, QueueSpec, Queues, queues::find_spec, random_id};
use crate::clock::now_ms;

/// SQS gives at most ten to a client; a mapping may gather more.
const RECEIVE_MAX: usize = 10_000;

impl Queues {
    /// Receives up to `max`, waiting up to `wait` for the first. A message past its queue's `maxReceiveCount` goes to the dead-letter
    /// queue instead, its sent time kept.
    pub async fn receive(
        &self,
        queue: &str,
        max: usize,
        visibility_s: Option<u32>,
        wait: Duration,
        holder: Holder,
    ) -> anyhow::Result<Vec<Message>> {
        let deadline = Instant::now() + wait;
        let bell = self.bell(queue);
        loop {
            // Listening before looking: a send in between wakes us.
            let mut rung = std::pin::pin!(bell.notified());
            rung.as_mut().enable();
            let looked_ms = now_ms();
            if self.next_due(queue, 0)?.is_some_and(|due| due <= looked_ms) {
                let taken = self.take(queue, max.clamp(1, RECEIVE_MAX), visibility_s, holder).await?;
                if !taken.is_empty() {
                    return Ok(taken);
                }
            }
            let now = Instant::now();
            if now >= deadline {
                return Ok(Vec::new());
            }
            // What was due and not taken went to another receiver, to the dead letters, or waits behind its group: a bell tells.
            let until_due = self.next_due(queue, looked_ms)?.map(|due| Duration::from_millis((due - looked_ms) as u64));
            tokio::select! {
                () = &mut rung => {}
                () = tokio::time::sleep_until(until_due.map_or(deadline, |due| deadline.min(now + due))) => {}
            }
        }
    }

    /// When the queue's next message after `after_ms` can be received.
    fn next_due(&self, queue: &str, after_ms: i64) -> anyhow::Result<Option<i64>> {
        self.store.read(|connection| {
            let mut next =
                connection.prepare_cached("SELECT MIN(visible_ms) FROM messages WHERE queue = ?1 AND visible_ms > ?2")?;
            let due: Option<i64> = next.query_row(params![queue, after_ms], |row| row.get(0))?;
            if due.is_none() && find_spec(connection, queue)?.is_none() {
                return Err(NoSuchQueue(queue.to_owned()).into());
            }
            Ok(due)
        })
    }

    async fn take(&self, queue: &str, max: usize, visibility_s: Option<u32>, holder: Holder) -> anyhow::Result<Vec<Message>> {
        let name = queue.to_owned();
        let (taken, dead_letters) = self
            .store
            .write(move |connection| {
                let spec = find_spec(connection, &name)?.ok_or(NoSuchQueue(name))?;
                take(connection, &spec, max, visibility_s.unwrap_or(spec.visibility_timeout_s), holder)
            })
            .await?;
        if let Some(dead_letters) = dead_letters {
            self.ring(&dead_letters);
        }
        Ok(taken)
    }
}

/// The taken messages, and the dead-letter queue if something went there.
fn take(
    connection: &Connection,
    spec: &QueueSpec,
    max: usize,
    visibility_s: u32,
    holder: Holder,
) -> anyhow::Result<(Vec<Message>, Option<String>)> {
    let now = now_ms();
    let mut dead_letters = None;
    let mut taken = Vec::new();
    while taken.len() < max {
        let due = due(connection, spec, now, max - taken.len())?;
        let exhausted = due.is_empty();
        let mut moved = false;
        for (row, mut message) in due {
            match &spec.redrive {
                Some((target, max_receive_count)) if message.receive_count >= *max_receive_count => {
                    bury(connection, row, target, &spec.name, now)?;
                    dead_letters = Some(target.clone());
                    moved = true;
                }
                _ => {
                    message.receipt = random_id(connection)?;
                    hold(connection, row, &mut message, now, visibility_s, holder)?;
                    taken.push(message);
                }
            }
        }
        // A second look only where dead letters made room.
        if exhausted || !moved {
            break;
        }
    }
    Ok((taken, dead_letters))
}

/// Messages that can be received now, oldest first. In a FIFO queue, only the first of each group.
fn due(connection: &Connection, spec: &QueueSpec, now: i64, max: usize) -> anyhow::Result<Vec<(i64, Message)>> {
    let first_of_group = if spec.fifo {
        "AND NOT EXISTS (SELECT 1 FROM messages e WHERE e.queue = m.queue AND e.message_group = m.message_group AND e.id < m.id)"
    } else {
        ""
    };
    let mut find = connection.prepare_cached(&format!(
        "SELECT id, message_id, body, attributes, sent_ms, first_received_ms, receive_count, message_group, dead_letter_source
         FROM messages m WHERE queue = ?1 AND visible_ms <= ?2 {first_of_group} ORDER BY visible_ms, id LIMIT ?3"
    ))?;
    let message = |row: &Row| -> rusqlite::Result<(i64, Message)> {
        let attributes: String = row.get(3)?;
        let message = Message {
            id: row.get(1)?,
            receipt: String::new(),
            body: row.get(2)?,
            attributes: serde_json::from_str(&attributes).unwrap_or_default(),
            sent_ms: row.get(4)?,
            first_received_ms: row.get(5)?,
            receive_count: row.get(6)?,
            group: row.get(7)?,
            dead_letter_source: row.get(8)?,
        };
        Ok((row.get(0)?, message))
    };
    Ok(find.query_map(params![spec.name, now, max as i64], message)?.collect::<Result<_, _>>()?)
}

fn hold(
    connection: &Connection,
    row: i64,
    message: &mut Message,
    now: i64,
    visibility_s: u32,
    holder: Holder,
) -> rusqlite::Result<()> {
    message.receive_count += 1;
    if message.first_received_ms == 0 {
        message.first_received_ms = now;
    }
    let holder = match holder {
        Holder::Client => 1,
        Holder::Mapping => 2,
    };
    connection
        .prepare_cached(
            "UPDATE messages SET visible_ms = ?2, receipt = ?3, holder = ?4, receive_count = ?5, first_received_ms = ?6 WHERE id = ?1",
        )?
        .execute(params![
            row,
            now + i64::from(visibility_s) * 1000,
            message.receipt,
            holder,
            message.receive_count,
            message.first_received_ms
        ])
        .map(drop)
}

/// The count starts anew in the dead-letter queue, so that its own consumer has its own attempts.
fn bury(connection: &Connection, row: i64, target: &str, source: &str, now: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE messages SET queue = ?2, dead_letter_source = ?3, visible_ms = ?4, receipt = NULL, holder = 0, receive_count = 0,
             first_received_ms = 0 WHERE id = ?1",
        )?
        .execute(params![row, target, Queues::arn(source), now])
        .map(drop)
}
