//! Messages without Lambda: a worker in a container asks its queue, works without a time limit, and ends when there is nothing left.
//!
//! While it works, it keeps its message hidden, a little at a time: when it is gone, whoever comes next has the message soon.

use std::time::Duration;

use anyhow::Context as _;
use photovault_aws::{Inbox, Received};
use photovault_vault::{SLOW_QUEUE, Vault};
use tokio::signal::unix::{SignalKind, signal};

use crate::{Message, OnMessage, Served, batch::backoff_s, connected, trace};

/// Seconds that a message is hidden at a time.
const HOLD_S: u32 = 120;
/// How often that is renewed.
const HEARTBEAT: Duration = Duration::from_secs(30);
/// The longest wait before a failed message comes back, in seconds: while this worker is still there.
const LONGEST_BACKOFF_S: u32 = 30;
/// Receives in a row without a message, each of 20 seconds, before the worker ends: longer than a failed message waits.
const EMPTY_RECEIVES: u32 = 3;

/// Takes the messages of the slow queue one after the other.
///
/// # Errors
/// Where it is told to end while it works (SIGTERM): the message is given back, and another worker goes on.
pub fn serve_worker(on_message: OnMessage) -> Served {
    connected(async |connection, names| {
        let url = names.queues.get(SLOW_QUEUE).context("QUEUE_VIDEO_SLOW is not set")?;
        let inbox = connection.inbox(url);
        let vault = Vault::new(connection.seams, names);
        let mut told_to_end = signal(SignalKind::terminate())?;
        let mut empty = 0;
        while empty < EMPTY_RECEIVES {
            let received = tokio::select! {
                received = inbox.receive() => received?,
                _ = told_to_end.recv() => return Ok(()),
            };
            let Some(message) = received else {
                empty += 1;
                continue;
            };
            empty = 0;
            tokio::select! {
                () = work(&vault, &inbox, &message, on_message) => {}
                _ = told_to_end.recv() => {
                    vault.jobs.hold_slow(&message.receipt, 0).await?;
                    anyhow::bail!("told to end: what is done is kept, and the message is given back");
                }
            }
        }
        tracing::info!("nothing is left to do");
        Ok(())
    })
}

/// One message, from its delivery to its end.
async fn work(vault: &Vault, inbox: &Inbox, message: &Received, on_message: OnMessage) {
    let Received { id, receipt, body, received, sent } = message.clone();
    let own = Message { id, receipt, body, received, sent, queue_arn: inbox.url().to_owned() };
    let ended = tokio::select! {
        ended = on_message(vault.clone(), own) => ended,
        never = hold(vault, message) => match never {},
    };
    let settled = match ended {
        Ok(()) => inbox.delete(&message.receipt).await,
        Err(error) => {
            let error = format!("{error:#}");
            tracing::error!(message.id, message.received, error, "the message failed and comes again");
            vault.jobs.hold_slow(&message.receipt, backoff_s(message.received).min(LONGEST_BACKOFF_S)).await
        }
    };
    if let Err(error) = settled {
        tracing::warn!(message.id, %error, "the message comes again when its visibility ends");
    }
    trace::flush(None).await;
}

/// Keeps a message hidden for as long as this runs.
async fn hold(vault: &Vault, message: &Received) -> std::convert::Infallible {
    loop {
        if let Err(error) = vault.jobs.hold_slow(&message.receipt, HOLD_S).await {
            tracing::warn!(message.id, %error, "the message may come twice: it could not be kept hidden");
        }
        tokio::time::sleep(HEARTBEAT).await;
    }
}
