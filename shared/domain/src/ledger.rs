//! The ledger: what happened to an item in each stage, when, how long it took, and why it ended as it did.

use serde::{Deserialize, Serialize};

use crate::{Recipe, UtcMs};

/// Where a stage stands with an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Not begun, or asked for again.
    Pending,
    /// Begun before and not ended: an attempt failed and the queue will bring the job again.
    /// A first attempt is not announced: it takes milliseconds and would cost a write.
    Running,
    /// Ended well.
    Done,
    /// Ended by decision: this file is not one that the stage can take. Never retried by itself.
    Rejected,
    /// Ended after the last attempt, or dead-lettered. `retry` and redrive work on it.
    Failed,
}

impl State {
    /// Whether nothing more will happen by itself.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Rejected | Self::Failed)
    }

    /// As the ledger shows it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Done => "done",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
        }
    }
}

/// One stage's line in an item's ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Where the stage stands.
    pub state: State,
    /// Why, in plain words; absent where there is nothing to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What made it: a hash of the stage's algorithm version and settings.
    pub recipe: Recipe,
    /// The hash of the bytes it was made from; empty while unknown.
    #[serde(default)]
    pub input: String,
    /// How often it was asked for again. A job names the asking that it answers, and one that answers an earlier asking
    /// is outdated: what comes late must not undo a retry.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub asked: u32,
    /// How often it was tried.
    #[serde(default)]
    pub attempts: u32,
    /// When the last attempt began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<UtcMs>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<UtcMs>,
    /// How long the last attempt took, in milliseconds.
    #[serde(default)]
    pub took_ms: u64,
    /// How far it has come, where its work has parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// What it cost on Lambda, in millionths of a US dollar: GB-seconds and the request (estimate); of the worker, its time.
    #[serde(default)]
    pub cost_microusd: f64,
}

impl Entry {
    /// A stage that waits for its turn.
    pub fn pending(recipe: Recipe) -> Self {
        Self {
            state: State::Pending,
            reason: None,
            recipe,
            input: String::new(),
            asked: 0,
            attempts: 0,
            started: None,
            finished: None,
            took_ms: 0,
            progress: None,
            cost_microusd: 0.0,
        }
    }
}

/// How far a stage has come with an item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Parts that are done.
    pub done: u32,
    /// Parts in all.
    pub of: u32,
    /// Milliseconds spent on it, all attempts together.
    pub spent_ms: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's skip_serializing_if passes a reference")]
pub(crate) fn is_zero(number: &u32) -> bool {
    *number == 0
}
