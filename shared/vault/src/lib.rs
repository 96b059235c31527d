//! The vault's verbs, in the domain's words, over six narrow seams.
//!
//! Everything that a function does to the outside goes through here. The seams ([`seams`]) have two implementations,
//! AWS (`shared/aws`) and a deterministic fabric (`shared/sim`); the verbs above them have one.

mod audit;
mod backfill;
mod backups;
mod catalog;
mod counters;
mod day_memories;
mod digests;
mod drills;
mod faces;
mod hidden;
mod jobs;
mod journal;
mod letters;
mod looks;
mod mailings;
mod memories;
mod mutant;
mod namesakes;
mod originals;
mod page;
mod people;
mod recogniser;
mod revive;
mod rows;
pub mod seams;
mod sightings;
pub mod spans;
mod stage;
mod timeline;
mod told;
mod walk;

use std::sync::Arc;

pub use audit::{Audit, AuditEntry, Deed};
pub use backfill::{Backfill, Backfills, CANARY_MOST, Phase, Step, Verdict};
pub use backups::{BackupState, Backups, Saved};
pub use catalog::{Catalog, Change, MEDIA_PREFIX, Progress, item_of_row, media_key, media_of_row, row_of_media};
pub use counters::{Counters, recount};
pub use day_memories::DayMemories;
pub use digests::{DIGEST_WINDOW_MS, Digest, Digests, window_of};
pub use drills::{Drill, Drills};
pub use faces::{Faces, Heeded, KnownFace, KnownPerson};
pub use hidden::Hiding;
pub use jobs::{Jobs, SLOW_QUEUE, START_QUEUE};
pub use journal::Journal;
pub use letters::{Dropped, Letters};
pub use looks::{Looks, Noted, Pieces};
pub use mailings::{ANNOUNCED_BEFORE_S, Claim, Delivered, Delivery, Mailing, MailingEnd, Mailings, NOTICE_TITLE};
pub use memories::{Discretion, Memory, MemoryKind, memories_of, on_this_day, trips_of};
#[cfg(feature = "mutants")]
pub use mutant::mutate;
pub use mutant::{Mutant, mutated};
pub use originals::{Originals, UploadRef};
pub use page::Page;
pub use people::{FacesFound, circle_of, everybody};
pub use recogniser::{Asked, DEFERRAL, Recogniser, Waiting};
pub use revive::{redrive_stream, revive};
pub use sightings::Sightings;
pub use stage::{
    Attempt, Outcome, announce_failure, announce_progress, begin, done, finish, is_finished, is_open, lambda_cost_microusd,
    run_attempt, worker_cost_microusd,
};
pub use timeline::{Beginning, Head, Item, TimelineChange, Timelines};

use photovault_domain::{
    Choices, Merge, Outputs, PeopleEdit, Processing, Recipe, Recognising, Rendition, Scanner, Stage, UserId,
};
use seams::{Clock, Notifier, Objects, Queue, Recognition, Table};

/// The six seams, as one bundle that an edge makes (`photovault_aws::connect`, `photovault_sim::Fabric`).
#[derive(Clone)]
pub struct Seams {
    /// Buckets.
    pub objects: Arc<dyn Objects>,
    /// The catalog's table.
    pub table: Arc<dyn Table>,
    /// Queues.
    pub queue: Arc<dyn Queue>,
    /// Time and randomness.
    pub clock: Arc<dyn Clock>,
    /// Ways to people.
    pub notifier: Arc<dyn Notifier>,
    /// Who sees what pictures show.
    pub recognition: Arc<dyn Recognition>,
}

/// What this deployment calls its things. Empty where a function has no use for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The bucket that people upload to.
    pub uploads_bucket: String,
    /// The bucket that the vault keeps.
    pub vault_bucket: String,
    /// The bucket that backups are in.
    pub backup_bucket: String,
    /// What manifests of backups are signed with.
    pub backup_key: Secret,
    /// Queue URLs by stage name.
    pub queues: std::collections::BTreeMap<String, String>,
    /// The topic that digests go to, if any.
    pub topic: Option<String>,
    /// By what, and how far, messages to people go out.
    pub post: Post,
    /// Whose the uploads are that name no user.
    pub owner: UserId,
    /// Who scans uploads for viruses.
    pub scanner: Scanner,
    /// Bytes of an upload that the scanner takes: more is never called clean.
    pub scanner_max_bytes: u64,
    /// Which derivatives are made beside the JPEG files of every size.
    pub outputs: Outputs,
    /// When videos get a copy for browsers.
    pub rendition: Rendition,
    /// Who makes what is made of videos.
    pub processing: Processing,
    /// What pictures are looked at for.
    pub recognising: Recognising,
    /// Memory of this function in MB, for the cost estimate; 0 of the worker, which is none.
    pub memory_mb: u32,
}

/// A text that no log shows.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_empty() { "none" } else { "secret" })
    }
}

/// By what messages to people go out, and how far they may go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Post {
    /// Whom e-mails are from; empty: none are sent.
    pub mail_from: String,
    /// The mail server, as in `smtp://user:password@host:587`; empty: Amazon SES.
    pub smtp: Secret,
    /// Whether webhooks and ntfy servers may lie in private networks, and be reached without TLS.
    pub private: bool,
}

impl Names {
    /// What the output of a stage is made by in this deployment.
    pub fn recipe(&self, stage: Stage) -> Recipe {
        stage.recipe_of(&Choices { outputs: self.outputs, rendition: self.rendition, sought: self.recognising.sought })
    }
}

/// The whole vault, as a function or the command sees it.
#[derive(Clone)]
pub struct Vault {
    /// Uploads in, originals and derivatives kept.
    pub originals: Originals,
    /// Media items.
    pub catalog: Catalog,
    /// What items count for.
    pub counters: Counters,
    /// Work that is done again.
    pub backfills: Backfills,
    /// What the library looks like.
    pub looks: Looks,
    /// Items in the order in which they were taken.
    pub timelines: Timelines,
    /// Faces that the recogniser keeps, and whose they are.
    pub faces: Faces,
    /// What users say about people.
    pub people_said: Journal<Vec<PeopleEdit>>,
    /// What no memory tells of.
    pub hiding: Hiding,
    /// Duplicates that became one.
    pub merges: Journal<Merge>,
    /// Who sees what pictures show.
    pub recogniser: Recogniser,
    /// Work for stages.
    pub jobs: Jobs,
    /// What dead-letter queues left behind.
    pub letters: Letters,
    /// What users are told.
    pub digests: Digests,
    /// What they want to be told, and what is on its way to them.
    pub mailings: Mailings,
    /// What was removed.
    pub audit: Audit,
    /// The backup bucket.
    pub backups: Backups,
    /// Restore drills.
    pub drills: Drills,
    /// What seemed to belong to nothing.
    pub sightings: Sightings,
    /// Time and randomness.
    pub clock: Arc<dyn Clock>,
    /// What things are called.
    pub names: Arc<Names>,
}

impl Vault {
    /// A vault over these seams.
    pub fn new(seams: Seams, names: impl Into<Arc<Names>>) -> Self {
        let names = names.into();
        let catalog = Catalog::new(seams.table.clone(), seams.clock.clone());
        let backups = Backups::new(seams.objects.clone(), seams.table.clone(), seams.clock.clone(), names.clone());
        let originals = Originals::new(seams.objects, names.clone());
        let mailings =
            Mailings::new(seams.table.clone(), seams.queue.clone(), seams.notifier, seams.clock.clone(), names.clone());
        Self {
            originals: originals.clone(),
            catalog: catalog.clone(),
            counters: Counters::new(seams.table.clone()),
            backfills: Backfills::new(seams.table.clone()),
            looks: Looks::new(seams.table.clone(), seams.clock.clone(), originals),
            timelines: Timelines::new(seams.table.clone(), seams.clock.clone()),
            faces: Faces::new(seams.table.clone()),
            people_said: Journal::new(seams.table.clone(), seams.clock.clone(), "K"),
            hiding: Hiding::new(seams.table.clone(), seams.clock.clone()),
            merges: Journal::new(seams.table.clone(), seams.clock.clone(), "G"),
            recogniser: Recogniser::new(seams.table.clone(), seams.recognition, seams.clock.clone(), names.clone()),
            jobs: Jobs::new(seams.queue.clone(), names.clone()),
            audit: Audit::new(seams.table.clone()),
            backups,
            drills: Drills::new(seams.table.clone()),
            sightings: Sightings::new(seams.table.clone(), seams.clock.clone()),
            letters: Letters::new(seams.table.clone(), seams.queue, catalog, names.clone()),
            digests: Digests::new(seams.table, mailings.clone()),
            mailings,
            clock: seams.clock,
            names,
        }
    }
}
