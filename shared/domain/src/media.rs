//! The media item: the catalog's record of one original, and the transitions that stages make on it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    Derivative, Derivatives, Entry, Facet, Facts, Format, Kind, Look, MediaId, Needs, Recipe, STAGES, Scan, Sha256, Stage, State,
    Tags, Taken, UserId, UtcMs, Video,
};

/// How many uploads of the same bytes an item remembers: the first and the latest.
pub const MAX_UPLOADS_KEPT: usize = 20;

/// The catalog's record of one original (or of one upload that did not become an original).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Media {
    /// Whose.
    pub user: UserId,
    /// Derived from the user and the bytes.
    pub id: MediaId,
    /// The bytes' hash; absent where an upload failed before it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256>,
    /// Where the bytes lie in the vault bucket: `originals/…` or `quarantine/…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// What the bytes are; absent where nothing was recognised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// Bytes.
    #[serde(default)]
    pub size_bytes: u64,
    /// Pixels as stored, before orientation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Pixels as stored, before orientation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Under which names it came, first and latest, at most [`MAX_UPLOADS_KEPT`].
    pub uploads: Vec<Upload>,
    /// How validation refused it, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
    /// What the virus scanner said of it.
    #[serde(default)]
    pub scan: Scan,
    /// When the item was made.
    pub created: UtcMs,
    /// When it last changed.
    pub updated: UtcMs,
    /// What happened, by stage.
    pub ledger: BTreeMap<Stage, Entry>,
    /// The thumbnail stage's facet, or of a video's poster frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derivatives: Option<Derivatives>,
    /// What the thumbnail stage saw, or the video stage of the poster frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look: Option<Look>,
    /// The metadata stage's facet, or what a video says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Box<Facts>>,
    /// What the item has from its duplicates, where it was kept of several. The facts have it too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined: Option<Box<Facts>>,
    /// The video stage's facet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub video: Option<Box<Video>>,
    /// When and where its user says that it was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<Taken>,
    /// The memories stage's facet: the time at which it stands in the timeline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placed: Option<UtcMs>,
    /// When its owner put it in the trash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trashed: Option<UtcMs>,
    /// Since when clean-up removes it: nothing brings it back, and the same bytes again wait until it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaving: Option<UtcMs>,
    /// The version of this item that a backup has: an item with another version is not saved yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved: Option<u64>,
    /// The tag stage's facet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Box<Tags>>,
    /// Counts the writes of this item: every write is conditional on the version that it was decided from.
    #[serde(default)]
    pub version: u64,
}

/// One arrival of an item's bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// What the uploader called it.
    pub name: String,
    /// The bucket that it came through.
    pub bucket: String,
    /// Its object key there.
    pub key: String,
    /// Its object version there: with bucket and key the identity of the upload.
    pub version: String,
    /// When it was uploaded.
    pub at: UtcMs,
}

/// How validation refused an upload. Its bytes are kept under `quarantine/` either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Refusal {
    /// Not something that the vault takes: another kind of file, or past a limit.
    Rejected,
    /// Says that it is a photo or video and is damaged or dangerous.
    Quarantined,
}

/// The one end that an item's owner sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Some stage has not ended.
    Processing,
    /// Every stage that applies ended well.
    Ready,
    /// A stage could not take the file, by decision.
    Rejected,
    /// Refused by validation as damaged or dangerous.
    Quarantined,
    /// A stage gave up; `retry` may help.
    Failed,
}

impl Status {
    /// As the owner reads it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Processing => "processing",
            Self::Ready => "ready",
            Self::Rejected => "rejected",
            Self::Quarantined => "quarantined",
            Self::Failed => "failed",
        }
    }
}

impl Media {
    /// An item of which nothing is known yet, and nothing written.
    pub fn new(user: UserId, id: MediaId, created: UtcMs) -> Self {
        Self {
            user,
            id,
            sha256: None,
            object: None,
            format: None,
            size_bytes: 0,
            width: None,
            height: None,
            uploads: Vec::new(),
            refusal: None,
            scan: Scan::Unscanned,
            created,
            updated: created,
            ledger: BTreeMap::new(),
            derivatives: None,
            look: None,
            facts: None,
            joined: None,
            video: None,
            moved: None,
            placed: None,
            trashed: None,
            leaving: None,
            saved: None,
            tags: None,
            version: 0,
        }
    }

    /// Photo or video, where the format is known.
    pub fn kind(&self) -> Option<Kind> {
        self.format.map(Format::kind)
    }

    /// The stage that makes the pictures which stand for it.
    pub fn pictured_by(&self) -> Stage {
        if self.kind() == Some(Kind::Video) { Stage::Video } else { Stage::Thumbnail }
    }

    /// The stage that reads what it says of itself.
    pub fn described_by(&self) -> Stage {
        if self.kind() == Some(Kind::Video) { Stage::Video } else { Stage::Metadata }
    }

    /// When and where it was taken, as far as is known now.
    pub fn taken(&self) -> Taken {
        Taken::of(self)
    }

    /// The latest name that it came under.
    pub fn name(&self) -> &str {
        self.uploads.last().map_or("", |upload| &upload.name)
    }

    /// The item's end, or `Processing`. Being told of it (a stage that needs everything settled) is not part of it.
    pub fn status(&self) -> Status {
        let states = || self.settling().map(|(_, entry)| entry.state);
        if !states().all(State::is_final) {
            Status::Processing
        } else if states().any(|state| state == State::Failed) {
            Status::Failed
        } else if self.refusal == Some(Refusal::Quarantined) {
            Status::Quarantined
        } else if states().any(|state| state == State::Rejected) {
            Status::Rejected
        } else {
            Status::Ready
        }
    }

    /// Why it ended as it did, in plain words: `None` for what is ready or under way.
    pub fn reason(&self) -> Option<&str> {
        let bad = |entry: &&Entry| matches!(entry.state, State::Rejected | State::Failed);
        self.settling().map(|(_, entry)| entry).find(bad)?.reason.as_deref()
    }

    /// Whether every stage, the telling included, has ended.
    pub fn is_settled(&self) -> bool {
        self.ledger.values().all(|entry| entry.state.is_final())
    }

    /// Adds an arrival; `false` if it is already known, which changes nothing. Keeps the first and the latest.
    pub fn add_upload(&mut self, upload: Upload) -> bool {
        let same = |known: &Upload| (&known.bucket, &known.key, &known.version) == (&upload.bucket, &upload.key, &upload.version);
        if self.uploads.iter().any(same) {
            return false;
        }
        if self.uploads.len() >= MAX_UPLOADS_KEPT {
            self.uploads.remove(1);
        }
        self.uploads.push(upload);
        true
    }

    /// Writes a stage's line and what it found out, and puts what is due next on the list.
    ///
    /// Work that was done again quietly is told of where it ends badly.
    pub fn record(&mut self, stage: Stage, entry: Entry, facet: Option<Facet>) {
        self.learn(facet);
        let asked = self.ledger.get(&stage).map_or(0, |before| before.asked);
        let ends_badly = matches!(entry.state, State::Rejected | State::Failed);
        self.ledger.insert(stage, Entry { asked, ..entry });
        self.plan();
        if ends_badly && self.is_told() {
            self.tell_again(stage);
        }
    }

    /// Whether its user was told of an end of it, and nothing more is to be told.
    fn is_told(&self) -> bool {
        self.ledger.iter().filter(|(stage, _)| stage.spec().needs == Needs::Settled).all(|(_, entry)| entry.state.is_final())
    }

    /// Writes what a stage found out so far, and asks for the rest of its work as another job. `reason` says what is waited for.
    pub fn hand_on(&mut self, stage: Stage, facet: Option<Facet>, reason: String) {
        self.learn(facet);
        self.ask(stage);
        self.ledger.entry(stage).and_modify(|entry| entry.reason = Some(reason));
    }

    fn learn(&mut self, facet: Option<Facet>) {
        let taken = self.taken();
        match facet {
            Some(Facet::Pictures(derivatives, look)) => {
                self.derivatives = Some(derivatives);
                self.look = Some(look);
            }
            Some(Facet::Facts(facts)) => self.facts = Some(self.with_joined(facts)),
            // Of a photo that moves, the still has a stage of its own.
            Some(Facet::Video(facet)) if self.kind() == Some(Kind::Photo) => self.video = Some(Box::new(facet.video)),
            Some(Facet::Video(facet)) => {
                self.derivatives = Some(facet.derivatives);
                self.look = Some(facet.look);
                self.facts = Some(self.with_joined(Box::new(facet.facts)));
                self.video = Some(Box::new(facet.video));
            }
            Some(Facet::Placed(at)) => self.placed = Some(at),
            Some(Facet::Tags(tags)) => self.tags = Some(tags),
            None => {}
        }
        if self.taken() != taken {
            self.renew(Stage::Memories);
        }
    }

    /// When the last of the stages that make up its end ended.
    pub fn ended(&self) -> Option<UtcMs> {
        self.settling().filter_map(|(_, entry)| entry.finished).max()
    }

    /// Puts every stage that applies and has no entry yet on the list of things to do.
    pub fn plan(&mut self) {
        for spec in STAGES {
            if !self.ledger.contains_key(&spec.stage) && (spec.applies)(self) {
                self.ledger.insert(spec.stage, Entry::pending(spec.stage.recipe()));
            }
        }
    }

    /// Puts the looking at it on the list, once it has its pictures and its place: the place says which pictures are its neighbours.
    /// In a vault without a recogniser nobody asks for it, and the stage costs nothing there.
    pub fn wish_for_tags(&mut self) {
        if self.derivatives.is_some() && self.placed.is_some() && !self.ledger.contains_key(&Stage::Tag) {
            self.ledger.insert(Stage::Tag, Entry::pending(Stage::Tag.recipe()));
        }
    }

    /// Asks for a stage again, and for the telling of its result. `false` if there is nothing to ask for.
    pub fn retry(&mut self, stage: Stage) -> bool {
        if !self.ledger.get(&stage).is_some_and(|entry| entry.state.is_final()) {
            return false;
        }
        self.ask(stage);
        self.tell_again(stage);
        true
    }

    /// Asks for a stage again because there is more to work on, whatever became of the last asking: what is under way may have begun
    /// without it. `false` if the stage does not apply. What failed is left to `retry`, which takes its letter away too.
    pub fn renew(&mut self, stage: Stage) -> bool {
        let applies = self.ledger.get(&stage).is_some_and(|entry| entry.state != State::Failed);
        if applies {
            self.ask(stage);
        }
        applies
    }

    /// Asks for a stage again that ended by another recipe than `recipe`. What it made stays until there is something to put in its
    /// place, and nobody is told unless it ends badly. `false` if nothing of it is stale.
    pub fn refresh(&mut self, stage: Stage, recipe: &Recipe) -> bool {
        let due = self.is_stale(stage, recipe);
        if due {
            self.ask(stage);
        }
        due
    }

    /// Whether a stage ended by another recipe than `recipe`. What failed is not stale: `retry` asks for that.
    pub fn is_stale(&self, stage: Stage, recipe: &Recipe) -> bool {
        let ended = |entry: &&Entry| matches!(entry.state, State::Done | State::Rejected);
        self.ledger.get(&stage).filter(ended).is_some_and(|entry| entry.recipe != *recipe)
    }

    /// Writes when and where its user says that it was taken (or nothing: what its file says holds again), and asks for its place in
    /// the timeline. `false` if that is known.
    pub fn move_to(&mut self, said: Option<Taken>) -> bool {
        if self.moved == said {
            return false;
        }
        self.moved = said;
        if self.renew(Stage::Memories) {
            self.tell_again(Stage::Memories);
        }
        true
    }

    /// Writes that a stage's work is lost after all, and asks for the telling of it.
    pub fn fail(&mut self, stage: Stage, reason: String, at: UtcMs) {
        let known = self.ledger.get(&stage).cloned().unwrap_or_else(|| Entry::pending(stage.recipe()));
        self.ledger.insert(stage, Entry { state: State::Failed, reason: Some(reason), finished: Some(at), ..known });
        self.tell_again(stage);
    }

    /// The stages that are failed and that `retry` would ask for.
    pub fn failed_stages(&self) -> Vec<Stage> {
        self.ledger.iter().filter(|(_, entry)| entry.state == State::Failed).map(|(stage, _)| *stage).collect()
    }

    /// Asks for the telling of what becomes of `stage`.
    pub(crate) fn tell_again(&mut self, stage: Stage) {
        for spec in STAGES.iter().filter(|spec| spec.needs == Needs::Settled && spec.stage != stage) {
            self.ask(spec.stage);
        }
    }

    fn ask(&mut self, stage: Stage) {
        let asked = self.ledger.get(&stage).map_or(0, |before| before.asked + 1);
        self.ledger.insert(stage, Entry { asked, ..Entry::pending(stage.recipe()) });
    }

    /// Every file that its stages made.
    pub fn files(&self) -> impl Iterator<Item = &Derivative> {
        let pictures = self.derivatives.iter().flat_map(|derivatives| &derivatives.files);
        pictures.chain(self.video.iter().flat_map(|video| &video.files))
    }

    /// The entries that make up the item's end.
    fn settling(&self) -> impl Iterator<Item = (&Stage, &Entry)> {
        self.ledger.iter().filter(|(stage, _)| stage.spec().needs != Needs::Settled)
    }
}
