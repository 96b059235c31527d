//! What the command understands: every subcommand, its options, and examples under `--help`.

mod deployment;
mod insight;
mod offline;
mod operate;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use photovault_domain::{Recognise, Scanner, Stage, Status, UserId};

pub(crate) use deployment::DeploymentArguments;
pub(crate) use insight::{FindArguments, PlacesArguments};
pub(crate) use offline::{FactsArguments, SampleArguments};
pub(crate) use operate::{BackfillArguments, ChoiceArguments, DlqAction, DlqArguments, RedriveArguments, StatsArguments};

use crate::{memories::MemoriesArguments, moments::MomentsArguments};

/// Turns an S3 bucket into a photo vault: on this machine with `up`, on AWS with the same functions.
#[derive(Debug, Parser)]
#[command(name = "photovault", version, arg_required_else_help = true)]
#[command(after_help = "Begin with:\n  photovault sample           a photo library to play with\n  photovault up               \
    start the engine (in another terminal)\n  photovault import sample/photos\n  photovault ls")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Up(UpArguments),
    Import(ImportArguments),
    Ls(ListArguments),
    Show(ShowArguments),
    Get(GetArguments),
    Find(FindArguments),
    Duplicates(crate::duplicates::DuplicatesArguments),
    Failures(FailuresArguments),
    Places(PlacesArguments),
    People(crate::people::PeopleArguments),
    Retry(RetryArguments),
    Dlq(DlqArguments),
    Trash(crate::trash::TrashArguments),
    Backfill(BackfillArguments),
    Stats(StatsArguments),
    Trace(crate::trace::TraceArguments),
    Doctor(crate::doctor::DoctorArguments),
    Health(HealthArguments),
    Cleanup(crate::cleanup::CleanupArguments),
    Audit(crate::audit::AuditArguments),
    Backup(crate::backup::BackupArguments),
    Verify(crate::verify::VerifyArguments),
    Restore(crate::restore::RestoreArguments),
    Moments(MomentsArguments),
    Memories(MemoriesArguments),
    Notify(crate::notify::NotifyArguments),
    /// What the engine has done since its start, and what 1,000 such photos, or 100 minutes of such video, cost on AWS.
    #[command(after_help = "Examples:\n  photovault cost\n  photovault cost --json | jq .lines")]
    Cost(VaultArguments),
    Invoke(InvokeArguments),
    Facts(FactsArguments),
    Sample(SampleArguments),
}

/// Where the vault is.
#[derive(Args, Clone, Debug)]
pub(crate) struct VaultArguments {
    /// The engine's data folder; when no engine keeps one there, the environment of a deployment on AWS says where.
    #[arg(long, value_name = "DIR", default_value = "vault-data", global = true)]
    pub(crate) data: PathBuf,
    /// Whose photos.
    #[arg(long, value_name = "USER", default_value = "owner", global = true)]
    pub(crate) user: UserId,
    /// JSON on standard output: one object a line.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// The deployment on AWS, where no engine is meant: names as the functions' own environment has them.
    #[command(flatten)]
    pub(crate) deployment: DeploymentArguments,
    #[command(flatten)]
    pub(crate) choices: ChoiceArguments,
}

/// Start the laptop engine: S3, DynamoDB, SQS and every function, on this machine alone.
///
/// Everything is kept in the data folder. It may be killed at any time: what was in flight comes back at the next start.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  photovault up\n  photovault up --data ~/vault --address 127.0.0.1:4455\n  \
    photovault up --template template.yaml --workers 4\n  \
    photovault up --recognition faces --labels mobilenet.onnx\n  \
    photovault up --recognition people --embeddings arcface.onnx\n  \
    photovault up --scanner clamd:unix:/run/clamav/clamd.ctl")]
pub(crate) struct UpArguments {
    /// Where everything is kept.
    #[arg(long, value_name = "DIR", default_value = "vault-data")]
    pub(crate) data: PathBuf,
    /// What to listen on; port 0 takes a free one.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:4455")]
    pub(crate) address: std::net::SocketAddr,
    /// Children of each function at most [default: what the template and the machine allow].
    #[arg(long, value_name = "N")]
    pub(crate) workers: Option<usize>,
    /// Another template than the built-in one.
    #[arg(long, value_name = "FILE")]
    pub(crate) template: Option<PathBuf>,
    /// Who scans uploads for viruses: none, clamd:unix:/PATH or clamd:tcp:HOST:PORT [default: what the template says, none].
    #[arg(long, value_name = "SCANNER", value_parser = scanner)]
    pub(crate) scanner: Option<String>,
    /// Megabytes that clamd takes of one file, the lesser of its limits for files and for streams: what is larger is never called
    /// clean [default: what the template says, 25].
    #[arg(long, value_name = "MB", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) scanner_max_mb: Option<u32>,
    /// What pictures are looked at for: off, labels, faces or people [default: what the template says, off]. The engine itself finds
    /// faces; it names what is to be seen by the model of `--labels`, and tells whose a face is by that of `--embeddings`.
    #[arg(long, value_name = "WHAT")]
    pub(crate) recognition: Option<Recognise>,
    /// An ONNX model that tells what is on a picture, such as `mobilenet.onnx`; its names, one a line, are beside it in `mobilenet.txt`
    /// [default: none].
    #[arg(long, value_name = "MODEL", requires = "recognition", conflicts_with = "peer")]
    pub(crate) labels: Option<PathBuf>,
    /// An ONNX model that makes a vector of a face, such as `arcface.onnx`: people are told apart by it [default: none].
    #[arg(long, value_name = "MODEL", requires = "recognition", conflicts_with = "peer")]
    pub(crate) embeddings: Option<PathBuf>,
    /// An OpenTelemetry collector that the functions tell of each photo's way, such as `http://127.0.0.1:4318` [default: none].
    #[arg(long, value_name = "URL", env = "OTEL_EXPORTER_OTLP_ENDPOINT")]
    pub(crate) otlp: Option<String>,
    /// Another emulator of AWS that keeps buckets, queues and tables, such as `http://127.0.0.1:5000`; the functions run here.
    #[arg(long, value_name = "URL")]
    pub(crate) peer: Option<String>,
    #[command(flatten)]
    pub(crate) mail: crate::notify::MailArguments,
    /// JSON on standard output: one object when ready.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Upload files and folders and wait until each is ready, rejected, quarantined or failed.
///
/// Folders are walked; hidden files are passed over. What the vault has is not sent again, so an interrupted import is
/// resumed by the same command. The exit status is 0 if every file reached an end.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  photovault import sample/photos\n  photovault import ~/Pictures/2024 IMG_0001.HEIC\n  \
    photovault import ~/Pictures --no-wait\n  photovault import ~/Pictures --json > outcome.jsonl")]
pub(crate) struct ImportArguments {
    /// Files and folders.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Upload only; do not wait for the functions.
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// How long to go on without any progress (a dead engine, a stuck queue) before giving up.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub(crate) timeout: u64,
    /// Uploads at once.
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u64).range(1..=64))]
    pub(crate) parallel: u64,
    #[command(flatten)]
    pub(crate) vault: VaultArguments,
}

/// List media items.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  photovault ls\n  photovault ls --latest\n  photovault ls --status failed --limit 20\n  photovault ls --place Kyoto\n  photovault ls --json | jq .name"
)]
pub(crate) struct ListArguments {
    /// Only items that ended like this.
    #[arg(long, value_parser = status)]
    pub(crate) status: Option<Status>,
    /// Only what was taken at a place whose town, region or country (two letters) is called so.
    #[arg(long, value_name = "NAME")]
    pub(crate) place: Option<String>,
    /// Those that were taken last, the latest first, instead of any.
    #[arg(long)]
    pub(crate) latest: bool,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) vault: VaultArguments,
}

/// Show one media item: its facts, its derivatives, and what happened to it in every stage.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  photovault show 3f2a\n  photovault show photos/2024/IMG_0001.jpg\n  photovault show 3f2a --json"
)]
pub(crate) struct ShowArguments {
    /// An id, the beginning of one, or an upload's name.
    pub(crate) media: String,
    #[command(flatten)]
    pub(crate) vault: VaultArguments,
}

/// Fetch a media item's file: one of its derivatives, or the original as it was uploaded.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  photovault get 3f2a -o photo.jpg\n  photovault get 3f2a --size original -o IMG_0001.HEIC")]
pub(crate) struct GetArguments {
    /// An id, the beginning of one, or an upload's name.
    pub(crate) media: String,
    /// Which file.
    #[arg(long, default_value = "large", value_parser = ["small", "medium", "large", "full", "preview", "sprite", "index", "rendition", "original"])]
    pub(crate) size: String,
    /// Where to write it.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) vault: VaultArguments,
}

/// List what did not become a photo in the vault, each with its reason and what to do.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  photovault failures\n  photovault failures --json")]
pub(crate) struct FailuresArguments {
    #[command(flatten)]
    pub(crate) vault: VaultArguments,
}

/// Ask for failed stages again.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  photovault retry 3f2a\n  photovault retry 3f2a --stage thumbnail\n  photovault retry --all")]
pub(crate) struct RetryArguments {
    /// An id, the beginning of one, or an upload's name.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub(crate) media: Option<String>,
    /// Every failed item.
    #[arg(long)]
    pub(crate) all: bool,
    /// This stage, whether or not it failed [default: every stage that failed].
    #[arg(long, value_parser = stage)]
    pub(crate) stage: Option<Stage>,
    #[command(flatten)]
    pub(crate) vault: VaultArguments,
}

/// Find items that make no progress, uploads and originals without an item, and items without their files; repair them.
///
/// The function `health` does the same every five minutes, a part of the vault at a time.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  photovault health\n  photovault health --all\n  photovault health --all --stalled 60 --json"
)]
pub(crate) struct HealthArguments {
    /// Look at the whole vault, and not only at the next part of it.
    #[arg(long)]
    pub(crate) all: bool,
    /// What has not changed for so long makes no progress.
    #[arg(long, value_name = "SECONDS", default_value_t = photovault_health::STALLED_S)]
    pub(crate) stalled: u32,
    #[command(flatten)]
    pub(crate) vault: VaultArguments,
}

/// Call one function with an event, and print what it answers.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  photovault invoke validate -e functions/validate/events/upload.json\n  \
    echo '{\"Records\":[]}' | photovault invoke thumbnail -e -")]
pub(crate) struct InvokeArguments {
    /// The function's name, as in functions/.
    pub(crate) function: String,
    /// The event as JSON; `-` reads standard input.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) event: PathBuf,
    #[command(flatten)]
    pub(crate) vault: VaultArguments,
}

fn status(text: &str) -> Result<Status, String> {
    const ALL: [Status; 5] = [Status::Processing, Status::Ready, Status::Rejected, Status::Quarantined, Status::Failed];
    let names = || ALL.map(Status::as_str).join(", ");
    ALL.into_iter().find(|status| status.as_str() == text).ok_or_else(|| format!("'{text}' is none of {}", names()))
}

pub(crate) fn stage(text: &str) -> Result<Stage, String> {
    let names = || photovault_domain::STAGES.iter().map(|spec| spec.stage.name()).collect::<Vec<_>>().join(", ");
    Stage::from_name(text).ok_or_else(|| format!("'{text}' is none of {}", names()))
}

/// A value of the template's parameter `Scanner` that works on one machine.
fn scanner(text: &str) -> Result<String, String> {
    match text.parse::<Scanner>() {
        Ok(Scanner::GuardDuty) => Err("guardduty scans on AWS alone".to_owned()),
        Ok(_) => Ok(text.to_owned()),
        Err(unknown) => Err(unknown.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::sample::Megapixels;

    #[test]
    fn the_command_line_is_sound_and_every_command_has_examples() {
        let command = Arguments::command();
        command.clone().debug_assert();
        for sub in command.get_subcommands() {
            assert!(sub.get_after_help().is_some(), "{} has no examples", sub.get_name());
        }
    }

    #[test]
    fn a_scanner_is_one_that_this_machine_may_have() {
        let given = |scanner: &str| Arguments::try_parse_from(["photovault", "up", "--scanner", scanner]);
        for scanner in ["none", "clamd:unix:/run/clamav/clamd.ctl", "clamd:tcp:127.0.0.1:3310"] {
            let Ok(Command::Up(up)) = given(scanner).map(|arguments| arguments.command) else { panic!("{scanner} is refused") };
            assert_eq!(up.scanner.as_deref(), Some(scanner));
        }
        for scanner in ["guardduty", "unix:/run/clamav/clamd.ctl", "clamd:unix:relative"] {
            assert!(given(scanner).is_err(), "{scanner} is taken");
        }
    }

    #[test]
    fn sizes_are_read_with_and_without_their_unit() {
        for (text, want) in [("12", Some(12.0)), ("12mp", Some(12.0)), ("1.92MP", Some(1.92)), ("0", None), ("big", None)] {
            assert_eq!(text.parse::<Megapixels>().ok().map(|size| size.0), want, "{text}");
        }
    }
}
