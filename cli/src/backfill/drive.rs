//! A backfill at work: a step at a time, only while the stage's queue is short.
//!
//! New uploads come first that way: when they fill the queue, nothing is asked for until it is short again.

use std::time::Duration;

use anyhow::bail;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use photovault_domain::Media;
use photovault_vault::{Backfill, Phase, Step, Vault, Verdict, seams::Written};
use serde_json::json;
use tokio::time::Instant;

use super::Filter;

/// Jobs that may wait in the stage's queue while more is asked for.
const SHORT_QUEUE: u64 = 50;
/// Between looks at a queue that is not short, or at a canary.
const TICK: Duration = Duration::from_secs(1);

/// What a run is made with.
pub(super) struct Drive<'a> {
    pub(super) vault: &'a Vault,
    pub(super) filter: &'a Filter,
    /// Items a minute at most.
    pub(super) rate: u32,
    pub(super) json: bool,
}

impl Drive<'_> {
    /// Works until all is asked for, or it stands still.
    pub(super) async fn run(&self, mut backfill: Backfill) -> anyhow::Result<()> {
        let bar = self.bar(&backfill);
        let (began, before) = (Instant::now(), backfill.asked);
        let stage = backfill.stage;
        let wanted = |media: &Media| self.filter.takes(media, stage);
        loop {
            bar.set_position(backfill.asked);
            match backfill.phase {
                Phase::Done => break,
                Phase::Waiting => {
                    bar.set_message("waiting for the canary");
                    self.judge(&mut backfill).await?;
                    continue;
                }
                Phase::Canary => bar.set_message("canary"),
                Phase::Running => bar.set_message(""),
            }
            let room = self.room(&backfill, began, backfill.asked - before).await?;
            if room == 0 {
                tokio::time::sleep(TICK).await;
                self.look_again(&mut backfill).await?;
                continue;
            }
            match self.vault.backfills.step(&self.vault.catalog, &mut backfill, &wanted, room).await? {
                // What was asked for is not in the queue yet: its length says nothing for a moment.
                Step::Asked(asked) if asked >= SHORT_QUEUE / 2 => tokio::time::sleep(TICK).await,
                Step::Asked(_) => {}
                Step::Overtaken => self.look_again(&mut backfill).await?,
            }
        }
        bar.finish_and_clear();
        let Backfill { asked, looked_at, recipe, .. } = &backfill;
        if self.json {
            println!("{}", json!({ "stage": stage, "recipe": recipe, "asked": asked, "looked_at": looked_at }));
        } else {
            println!(
                "{stage}: {asked} of {looked_at} items were asked for again. The last of them may still be worked on: `photovault stats`."
            );
        }
        Ok(())
    }

    fn bar(&self, backfill: &Backfill) -> ProgressBar {
        let target = if self.json { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(backfill.expected, target);
        let shape = "{bar:30} {pos}/{len} asked for, {eta} left {msg}";
        bar.with_style(ProgressStyle::with_template(shape).expect("a good template"))
    }

    /// How many more may be asked for now: by the queue and by the rate.
    async fn room(&self, backfill: &Backfill, began: Instant, asked: u64) -> anyhow::Result<u64> {
        let waiting = self.vault.jobs.waiting(backfill.stage).await?;
        let by_rate = (began.elapsed().as_secs_f64() * f64::from(self.rate) / 60.0) as u64 + 1;
        Ok(SHORT_QUEUE.saturating_sub(waiting).min(by_rate.saturating_sub(asked)))
    }

    /// Heeds what became of the canary.
    async fn judge(&self, backfill: &mut Backfill) -> anyhow::Result<()> {
        match self.vault.backfills.verdict(&self.vault.catalog, backfill).await? {
            Verdict::Open(_) => {
                tokio::time::sleep(TICK).await;
                return self.look_again(backfill).await;
            }
            Verdict::Good => {}
            Verdict::Bad(worse, why) => {
                backfill.paused =
                    Some(format!("{worse} of {} items of the canary ended worse than before ({why})", backfill.watched.len()));
            }
        }
        // Either way it has had its canary: whoever goes on has been told what became of it.
        backfill.watched.clear();
        backfill.phase = Phase::Running;
        if self.vault.backfills.write(backfill, None).await? == Written::Conflict {
            return self.look_again(backfill).await;
        }
        stand_still(backfill)
    }

    /// Somebody may have paused it, or work on it as well.
    async fn look_again(&self, backfill: &mut Backfill) -> anyhow::Result<()> {
        let known = self.vault.backfills.read(&backfill.user, backfill.stage).await?;
        match known {
            Some(known) if known.version == backfill.version => Ok(()),
            Some(known) => {
                stand_still(&known)?;
                bail!("another run works on this backfill")
            }
            None => bail!("somebody removed this backfill"),
        }
    }
}

fn stand_still(backfill: &Backfill) -> anyhow::Result<()> {
    if let Some(why) = &backfill.paused {
        bail!("the backfill of {} stands still after {} items: {why}. --resume goes on", backfill.stage, backfill.asked);
    }
    Ok(())
}
