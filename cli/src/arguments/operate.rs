//! Arguments of the commands that look after a vault.

use clap::{Args, Subcommand};
use photovault_domain::Stage;

use super::{VaultArguments, stage};
use crate::backfill::Filter;

/// What a deployment on AWS chose, as its functions' environment has it: an engine says so itself.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ChoiceArguments {
    #[arg(long, env = "DERIVATIVES", hide = true, global = true, default_value = "")]
    pub(crate) derivatives: String,
    #[arg(long, env = "RENDITION", hide = true, global = true, default_value = "")]
    pub(crate) rendition: String,
    #[arg(long, env = "RENDITION_LINES", hide = true, global = true, default_value = "")]
    pub(crate) rendition_lines: String,
    #[arg(long, env = "RENDITION_KBPS", hide = true, global = true, default_value = "")]
    pub(crate) rendition_kbps: String,
    #[arg(long, env = "RECOGNITION", hide = true, global = true, default_value = "")]
    pub(crate) recognition: String,
    #[arg(long, env = "RECOGNITION_TEXT", hide = true, global = true, default_value = "")]
    pub(crate) recognition_text: String,
    #[arg(long, env = "RECOGNITION_MODERATION", hide = true, global = true, default_value = "")]
    pub(crate) recognition_moderation: String,
    #[arg(long, env = "MAIL_FROM", hide = true, global = true, default_value = "")]
    pub(crate) mail_from: String,
    #[arg(long, env = "SMTP", hide = true, global = true, default_value = "", hide_env_values = true)]
    pub(crate) smtp: String,
    #[arg(long, env = "PRIVATE_CHANNELS", hide = true, global = true, default_value = "")]
    pub(crate) private_channels: String,
}

/// Do a stage's work again on every item where it was done by another recipe than today's.
///
/// It asks for the first hundredth (200 items at most) and goes on when all of these have ended well. It asks only while the stage's queue is short, so that
/// new uploads come first. What was made stays until there is something to put in its place. It may be ended at any time: the same
/// command goes on where it was.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  photovault backfill --stage thumbnail --dry-run\n  photovault backfill --stage thumbnail --rate 600\n  \
    photovault backfill --stage thumbnail --where format=heic,before=2026-11-01\n  photovault backfill --stage thumbnail --pause\n  \
    photovault backfill --stage thumbnail --resume"
)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(crate) struct BackfillArguments {
    /// Which stage: one that works on items (not validate, not notify).
    #[arg(long, value_parser = stage)]
    pub(crate) stage: Stage,
    /// Only items for which all of this holds: kind=photo|video, format=NAME, recipe=BEGINNING, before=YYYY-MM-DD (the stage ended before that day).
    #[arg(long = "where", value_name = "KEY=VALUE,…")]
    pub(crate) filter: Option<Filter>,
    /// Only say how many items there are, how long it takes and what it costs. Without --where it reads one row; with it the whole library.
    #[arg(long, group = "what")]
    pub(crate) dry_run: bool,
    /// Say how far it has come.
    #[arg(long, group = "what")]
    pub(crate) status: bool,
    /// Let it stand still, wherever it runs.
    #[arg(long, group = "what")]
    pub(crate) pause: bool,
    /// Go on with one that stands still.
    #[arg(long, group = "what")]
    pub(crate) resume: bool,
    /// Begin from the first item, whatever was done.
    #[arg(long, group = "what")]
    pub(crate) anew: bool,
    /// Items that are asked for in a minute, at most.
    #[arg(long, value_name = "N", default_value_t = 3000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rate: u32,
    /// Percent of the items that are done first.
    #[arg(long, value_name = "PERCENT", default_value_t = 1.0)]
    pub(crate) canary: f64,
    #[command(flatten)]
    pub(crate) vault: VaultArguments,
}

/// What there is, what every stage did, what failed and what it cost, from counters that functions keep: nothing is looked through.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  photovault stats\n  photovault stats --hours 168\n  photovault stats --recount\n  photovault stats --json | jq .stages"
)]
pub(crate) struct StatsArguments {
    /// Hours that are shown, the last one being this one.
    #[arg(long, value_name = "N", default_value_t = 48, value_parser = clap::value_parser!(u32).range(1..=9000))]
    pub(crate) hours: u32,
    /// Count all items anew first: reads the whole library. For what was there before there were counters, or was lost.
    #[arg(long)]
    pub(crate) recount: bool,
    #[command(flatten)]
    pub(crate) vault: VaultArguments,
}

/// Look at dead letters (messages that failed every attempt), send them again or give them up.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  photovault dlq ls\n  photovault dlq show 3f2a\n  photovault dlq redrive --stage thumbnail\n  \
    photovault dlq drop 3f2a --because \"a test upload\""
)]
pub(crate) struct DlqArguments {
    #[command(subcommand)]
    pub(crate) action: DlqAction,
    #[command(flatten)]
    pub(crate) vault: VaultArguments,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DlqAction {
    /// List dead letters.
    Ls {
        /// Only this stage's.
        #[arg(long)]
        stage: Option<String>,
        /// Those that were given up, with why.
        #[arg(long, conflicts_with = "stage")]
        dropped: bool,
    },
    /// Show a letter, its item, and what to do.
    Show {
        /// The beginning of the letter's id or of its item's, or the item's name.
        which: String,
    },
    /// Send dead letters to their queues again.
    Redrive(RedriveArguments),
    /// Give letters up for good: their work is not wanted any more. Each is kept where `dlq ls --dropped` finds it.
    Drop {
        #[command(flatten)]
        which: RedriveArguments,
        /// Why: it stands beside the letter from then on.
        #[arg(long, value_name = "TEXT")]
        because: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Args, Debug)]
#[group(id = "which", required = true, multiple = true, args = ["media", "stage", "all"])]
pub(crate) struct RedriveArguments {
    /// Those of one item: its id, the beginning of one, or an upload's name.
    pub(crate) media: Option<String>,
    /// Those of one stage.
    #[arg(long)]
    pub(crate) stage: Option<String>,
    /// All of them.
    #[arg(long)]
    pub(crate) all: bool,
}
