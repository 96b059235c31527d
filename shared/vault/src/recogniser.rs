//! The recogniser, and what keeps it cheap: nobody is asked twice about the same bytes, and not more in a month than was agreed.
//!
//! A picture is counted before it is looked at. Who dies in between has counted one too many, and never one too few: the month's
//! number is a bound on the bill. The count is one row; who is overtaken reads it anew.

use std::sync::Arc;

use photovault_domain::{Face, Label, MediaId, Moderation, Sha256, Stage, Tags, UserId, UtcMs, Word, local_of_seconds};
use serde::{Deserialize, Serialize};

use crate::{
    Mutant, Names, Page, mutated,
    rows::{row_of, value_at, value_of},
    seams::{Clock, Expect, ObjectAt, Recognition, RowKey, SeamError, SeamResult, Table, Unseen, Write, Written},
};

/// How often a count is decided again when another came first. Those who count at once are few: one for each user that imports.
const MAX_CONFLICTS: u32 = 50;

/// What came of asking.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked<T> {
    /// It was seen.
    Seen(T),
    /// Not for now, in plain words: the month's pictures are used up, or the account is refused.
    Deferred(String),
    /// Never, in plain words: not a picture that the recogniser takes.
    Untaken(String),
}

/// What was counted in a month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Count {
    images: u32,
    version: u64,
}

/// What is known of bytes.
#[derive(Default, Serialize, Deserialize)]
struct Kept {
    tags: Tags,
    version: u64,
}

/// The recogniser of this deployment.
#[derive(Clone)]
pub struct Recogniser {
    table: Arc<dyn Table>,
    recognition: Arc<dyn Recognition>,
    clock: Arc<dyn Clock>,
    names: Arc<Names>,
}

impl Recogniser {
    pub(crate) fn new(
        table: Arc<dyn Table>,
        recognition: Arc<dyn Recognition>,
        clock: Arc<dyn Clock>,
        names: Arc<Names>,
    ) -> Self {
        Self { table, recognition, clock, names }
    }

    /// What was seen in these bytes before, whatever was looked for then.
    pub async fn known(&self, sha256: &Sha256) -> SeamResult<Tags> {
        Ok(self.kept(sha256).await?.tags)
    }

    /// Keeps what was seen beside what is known. Where another was faster, what it saw stands.
    pub async fn keep(&self, sha256: &Sha256, seen: &Tags) -> SeamResult<()> {
        for _ in 0..MAX_CONFLICTS {
            let Kept { mut tags, version } = self.kept(sha256).await?;
            tags.learn(seen.clone());
            let next = row_of(&Kept { tags, version: version + 1 }, known_key(sha256));
            if self.table.put(next, Expect::read(version)).await? == Written::Yes {
                return Ok(());
            }
        }
        let answer = format!("others came first {MAX_CONFLICTS} times");
        Err(SeamError { asked: format!("what is seen in {sha256}"), answer })
    }

    async fn kept(&self, sha256: &Sha256) -> SeamResult<Kept> {
        Ok(value_at(&*self.table, &known_key(sha256)).await?.unwrap_or_default())
    }

    /// Asks what a derivative shows; gives the labels and who saw them.
    pub async fn labels(&self, derivative: &str) -> SeamResult<Asked<(Vec<Label>, String)>> {
        let at = self.at(derivative);
        self.paid(self.recognition.labels(&at)).await
    }

    /// Asks where in a derivative the faces are.
    pub async fn faces(&self, derivative: &str) -> SeamResult<Asked<Vec<Face>>> {
        let at = self.at(derivative);
        self.paid(self.recognition.faces(&at)).await
    }

    /// Asks what can be read on a derivative.
    pub async fn text(&self, derivative: &str) -> SeamResult<Asked<Vec<Word>>> {
        let at = self.at(derivative);
        self.paid(self.recognition.text(&at)).await
    }

    /// Asks what of a derivative is not to be shown unasked.
    pub async fn moderation(&self, derivative: &str) -> SeamResult<Asked<Moderation>> {
        let at = self.at(derivative);
        self.paid(self.recognition.moderation(&at)).await
    }

    /// Takes the faces of a derivative into its user's collection.
    pub async fn take_in(&self, user: &UserId, media: &MediaId, derivative: &str) -> SeamResult<Asked<Vec<Face>>> {
        let (collection, at) = (self.collection(user), self.at(derivative));
        self.paid(self.recognition.take_in(&collection, &at, media.as_str())).await
    }

    /// Persons whom a face of a user resembles, with the percent.
    pub async fn persons_like(&self, user: &UserId, face: &str) -> SeamResult<Asked<Vec<(String, u8)>>> {
        let collection = self.collection(user);
        self.paid(self.recognition.persons_like(&collection, face)).await
    }

    /// Faces of a user that one of them resembles, with the percent.
    pub async fn faces_like(&self, user: &UserId, face: &str) -> SeamResult<Asked<Vec<(String, u8)>>> {
        let collection = self.collection(user);
        self.paid(self.recognition.faces_like(&collection, face)).await
    }

    /// Tells the recogniser that faces are of a person.
    pub async fn associate(&self, user: &UserId, person: &str, faces: &[String]) -> SeamResult<Asked<()>> {
        let collection = self.collection(user);
        self.paid(self.recognition.associate(&collection, person, faces)).await
    }

    /// Tells the recogniser that faces are a person's no more; why not, in plain words, where the account is refused. Not counted: nobody's
    /// picture is looked at.
    pub async fn part(&self, user: &UserId, person: &str, faces: &[String]) -> SeamResult<Asked<()>> {
        let collection = self.collection(user);
        Ok(Asked::of(self.recognition.part(&collection, person, faces).await?))
    }

    /// Removes faces of a user; why not, in plain words, where the account is refused. Not counted: nobody's picture is looked at.
    pub async fn forget(&self, user: &UserId, faces: &[String]) -> SeamResult<Asked<()>> {
        let collection = self.collection(user);
        Ok(Asked::of(self.recognition.forget(&collection, faces).await?))
    }

    /// Each user has their own: in one of all users, most of what a face resembles would be another user's.
    fn collection(&self, user: &UserId) -> String {
        format!("{}.{user}", self.names.vault_bucket)
    }

    /// Counts, then asks.
    async fn paid<T>(&self, ask: impl Future<Output = SeamResult<Result<T, Unseen>>> + Send) -> SeamResult<Asked<T>> {
        if mutated(Mutant::CountsAfterwards) {
            let answer = ask.await?;
            self.count().await?;
            return Ok(Asked::of(answer));
        }
        if let Some(deferred) = self.count().await? {
            return Ok(Asked::Deferred(deferred));
        }
        let answer = Asked::of(ask.await?);
        if matches!(answer, Asked::Deferred(_)) {
            // A request that was refused is not billed.
            self.change_count(|images| images.checked_sub(1)).await?;
        }
        Ok(answer)
    }

    /// Pictures that were counted in the month of an instant.
    pub async fn counted(&self, at: UtcMs) -> SeamResult<u32> {
        Ok(self.read(&month_of(at)).await?.images)
    }

    /// Counts one picture; why not, where the month has no more.
    async fn count(&self) -> SeamResult<Option<String>> {
        let most = self.names.recognising.monthly_images;
        let counted = self.change_count(|images| (images < most).then_some(images + 1)).await?;
        Ok((!counted).then(|| format!("{DEFERRAL}: the month's {most} pictures have been looked at")))
    }

    /// Changes the month's number as `change` says; whether it had anything to change.
    async fn change_count(&self, change: impl Fn(u32) -> Option<u32> + Send) -> SeamResult<bool> {
        let month = month_of(self.clock.now());
        for _ in 0..MAX_CONFLICTS {
            let current = self.read(&month).await?;
            let Some(images) = change(current.images) else { return Ok(false) };
            let next = Count { images, version: current.version + 1 };
            let expect = Expect::read(current.version);
            let written = self.table.put(row_of(&next, count_key(&month)), expect).await?;
            if written == Written::Yes || mutated(Mutant::CountUnguarded) {
                return Ok(true);
            }
        }
        let answer = format!("others counted first {MAX_CONFLICTS} times");
        Err(SeamError { asked: format!("count of the pictures of {month}"), answer })
    }

    async fn read(&self, month: &str) -> SeamResult<Count> {
        Ok(value_at(&*self.table, &count_key(month)).await?.unwrap_or_default())
    }

    /// Writes down that an item waits for another month, or for an account that is let in. Twice is once.
    pub async fn defer(&self, user: &UserId, media: &MediaId) -> SeamResult<()> {
        let key = deferred_key(user, media);
        let since = month_of(self.clock.now());
        let row = row_of(&Waiting { user: user.clone(), media: media.clone(), since, asked: false }, key);
        self.table.put(row, Expect::Absent).await.map(|_| ())
    }

    /// Items that wait, a page of them.
    pub async fn deferred(&self, after: Option<&str>, limit: u32) -> SeamResult<Page<Waiting>> {
        let page = self.table.rows(DEFERRED, "", after, limit).await?;
        Ok(Page { items: page.items.iter().map(|row| value_of(row)).collect::<SeamResult<_>>()?, next: page.next })
    }

    /// Whether what an item waited for has come: another month.
    pub fn is_due(&self, waiting: &Waiting) -> bool {
        waiting.since < month_of(self.clock.now())
    }

    /// An item waits from now on: `asked` says whether it was asked for again, so that somebody looks what came of it.
    pub async fn wait_on(&self, waiting: &Waiting, asked: bool) -> SeamResult<()> {
        let next = Waiting { since: month_of(self.clock.now()), asked, ..waiting.clone() };
        self.table.put_all(vec![Write::Set(row_of(&next, deferred_key(&waiting.user, &waiting.media)))]).await.map(|_| ())
    }

    /// An item waits no more.
    pub async fn wait_no_more(&self, waiting: &Waiting) -> SeamResult<()> {
        self.table.remove(&deferred_key(&waiting.user, &waiting.media)).await
    }

    fn at(&self, derivative: &str) -> ObjectAt {
        ObjectAt { bucket: self.names.vault_bucket.clone(), key: derivative.to_owned(), version: None }
    }
}

/// An item that waits for another month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Whose.
    pub user: UserId,
    /// Which.
    pub media: MediaId,
    /// Since which month, such as `2026-11`; empty of what was written down before anybody asked.
    #[serde(default)]
    pub since: String,
    /// Whether it was asked for again in that month.
    #[serde(default)]
    pub asked: bool,
}

impl<T> Asked<T> {
    /// The same with what is made of what was seen.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Asked<U> {
        match self {
            Self::Seen(seen) => Asked::Seen(make(seen)),
            Self::Deferred(why) => Asked::Deferred(why),
            Self::Untaken(why) => Asked::Untaken(why),
        }
    }

    fn of(answer: Result<T, Unseen>) -> Self {
        match answer {
            Ok(seen) => Self::Seen(seen),
            Err(Unseen::Account(why)) => Self::Deferred(format!("{DEFERRAL}: the recogniser refuses this account: {why}")),
            Err(Unseen::Picture(why)) => Self::Untaken(format!("the recogniser does not take this picture: {why}")),
        }
    }
}

/// What the reason of an item begins with that waits.
pub const DEFERRAL: &str = "deferred";

/// The partition of items that wait.
const DEFERRED: &str = "R#deferred";

/// What is known of the same bytes is known to all users: it says nothing that the bytes do not say. It is known by how the stage looks, and
/// not by what a vault chose to look for: who looks for more later pays for that alone.
fn known_key(sha256: &Sha256) -> RowKey {
    RowKey { pk: format!("R#{sha256}"), sk: Stage::Tag.recipe().to_string() }
}

fn count_key(month: &str) -> RowKey {
    RowKey { pk: "R#count".to_owned(), sk: month.to_owned() }
}

fn deferred_key(user: &UserId, media: &MediaId) -> RowKey {
    RowKey { pk: DEFERRED.to_owned(), sk: format!("{user}#{media}") }
}

/// `2026-11`, in UTC.
fn month_of(at: UtcMs) -> String {
    local_of_seconds(at.0.div_euclid(1000)).chars().take(7).collect()
}
