//! What a history is about: who uploads what and when, what is poison, when its cause goes away, and who tries again.

use std::collections::BTreeSet;

use photovault_domain::{Channel, MediaId, Preferences, Recognise, Recognising, Sha256, Sought, UploadKey, UserId};
use photovault_sim::{Random, World};
use photovault_vault::seams::Expect;
use sha2::Digest as _;

use crate::{settings::CLEANUP, stand_ins::FileKind};

/// Uploads that every history has.
const FIRST_UPLOADS: u64 = 2;
/// Uploads of a whole folder.
const FOLDER: u64 = 8;

/// A file on its way in.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    pub(crate) at: i64,
    pub(crate) key: String,
    pub(crate) kind: FileKind,
    pub(crate) bytes: Vec<u8>,
    pub(crate) sha256: Sha256,
    pub(crate) user: UserId,
    pub(crate) media: MediaId,
    /// Its object version, once it is stored.
    pub(crate) version: Option<String>,
}

/// What may become of a record of the stream before the dispatcher has dealt with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// It stays until it is read.
    Kept,
    /// It may be trimmed, and nothing tells of it: `health` looks for what that left behind.
    Trimmed,
    /// It may be given up after its attempts, and the account of it is a dead letter that somebody redrives.
    GivenUp,
}

/// What a history is about.
#[derive(Clone, Debug)]
pub(crate) struct Workload {
    pub(crate) uploads: Vec<Upload>,
    /// Messages that nobody can read, with the queue that they are sent to.
    pub(crate) garbage: Vec<(i64, usize, String)>,
    /// When the causes of failure go away, if they do by themselves.
    pub(crate) cure: Option<i64>,
    /// When somebody tries again what has failed.
    pub(crate) retries: Vec<i64>,
    /// When somebody corrects the time of an item.
    pub(crate) corrections: Vec<i64>,
    /// When somebody puts an item in the trash, and when somebody takes one out of it. Then `cleanup` runs on its schedule too.
    pub(crate) trash: Vec<i64>,
    pub(crate) restores: Vec<i64>,
    /// When somebody uploads again what is in the trash.
    pub(crate) agains: Vec<i64>,
    /// Before this the faults do not stop.
    pub(crate) calm: i64,
    /// What may become of the stream's records.
    pub(crate) stream: Stream,
    /// What the vault has looked for in pictures.
    pub(crate) recognising: Recognising,
    /// Whose all uploads are, where one person drops a folder.
    crowd: Option<&'static str>,
    random: Random,
}

impl Workload {
    /// Makes one; uploads with these numbers are left out.
    pub(crate) fn of(seed: Random, start: i64, dropped: &BTreeSet<usize>) -> Self {
        let mut random = seed.of(1);
        let mut workload = Self {
            uploads: Vec::new(),
            garbage: Vec::new(),
            cure: random.per_mille(500).then_some(start + 20_000 + random.below(900_000) as i64),
            retries: Vec::new(),
            corrections: corrections(seed.of(6), start),
            trash: trash(seed.of(7), start),
            restores: takings_back(seed.of(8), start),
            agains: takings_back(seed.of(10), start),
            calm: start + calm_after(&mut random),
            stream: stream(seed.of(5)),
            recognising: recognising(seed.of(9)),
            crowd: None,
            random: seed.of(2),
        };
        for _ in 0..random.below(3) {
            workload.retries.push(start + 20_000 + random.below(1_500_000) as i64);
        }
        if workload.calm > start {
            // Somebody redrives while there are faults.
            workload.retries.push(workload.calm - random.below(60_000) as i64);
        }
        if random.per_mille(200) {
            let (queue, body) = random.one_of(&[(0, "not an event"), (1, "not a job"), (2, "{}"), (3, "null")]);
            workload.garbage.push((start + random.below(60_000) as i64, queue, body.to_owned()));
        }
        // Some people drop a few files at once, or a whole folder.
        let folder = random.per_mille(50);
        let together = folder || random.per_mille(500);
        workload.crowd = together.then_some("users/ann/");
        for _ in 0..if folder { FOLDER } else { FIRST_UPLOADS + random.below(5) / 2 } {
            workload.more(start, if together { 300 } else { 40_000 });
        }
        workload.add_sidecars(seed.of(13), start);
        let mut number = 0;
        workload.uploads.retain(|_| {
            number += 1;
            !dropped.contains(&(number - 1))
        });
        workload
    }

    /// One upload more, within the next so many milliseconds.
    pub(crate) fn more(&mut self, now: i64, within: u64) {
        let random = &mut self.random;
        let serial = self.uploads.len() as u16;
        let at = now + random.below(within) as i64;
        let user = random.one_of(&["users/ann/", "users/bob/", ""]);
        let user = self.crowd.unwrap_or(user);
        let key = format!("{user}{serial}.gif");
        let kind = kind(random);
        let bytes = kind.bytes(serial);
        let earlier = random.below(self.uploads.len() as u64) as usize;
        let how = random.below(100);
        let upload = match self.uploads.get(earlier).filter(|upload| upload.kind != FileKind::Sidecar) {
            // The same bytes under another name, or other bytes under the same name.
            Some(same) if how < 20 => Upload::new(at, key, same.kind, same.bytes.clone()),
            Some(same) if how < 35 => Upload::new(at, same.key.clone(), kind, bytes),
            _ => Upload::new(at, key, kind, bytes),
        };
        self.uploads.push(upload);
    }

    /// One history in eight has a sidecar or two, before their photos or after them.
    fn add_sidecars(&mut self, mut random: Random, start: i64) {
        let count = if random.below(8) == 0 { 1 + random.below(2) } else { 0 };
        for _ in 0..count {
            let beside = &self.uploads[random.below(self.uploads.len() as u64) as usize];
            let key = format!("{}.xmp", beside.key.trim_end_matches(".xmp"));
            let at = start.max(beside.at - 1_000 + random.below(2_000) as i64);
            let bytes = FileKind::Sidecar.bytes(self.uploads.len() as u16);
            self.uploads.push(Upload::new(at, key, FileKind::Sidecar, bytes));
        }
    }
}

impl Upload {
    pub(crate) fn new(at: i64, key: String, kind: FileKind, bytes: Vec<u8>) -> Self {
        let owner: UserId = "owner".parse().expect("a good name");
        let user = UploadKey::parse(&key, &owner).user;
        let sha256 = Sha256::from_digest(sha2::Sha256::digest(&bytes).into());
        let media = MediaId::of_bytes(&user, &sha256);
        Self { at, key, kind, bytes, sha256, user, media, version: None }
    }
}

/// Most histories are calm as soon as they have their faults; some go on through everybody's second and third attempts.
fn calm_after(random: &mut Random) -> i64 {
    if random.per_mille(140) { 60_000 + random.below(600_000) as i64 } else { 0 }
}

fn stream(mut random: Random) -> Stream {
    match random.below(1000) {
        0..60 => Stream::Trimmed,
        60..100 => Stream::GivenUp,
        _ => Stream::Kept,
    }
}

/// One vault in six has a recogniser, most of those too few pictures a month: the others' photos are settled without one.
fn recognising(mut random: Random) -> Recognising {
    if random.below(6) > 0 {
        return Recognising::default();
    }
    let what = random.one_of(&[Recognise::Labels, Recognise::Faces, Recognise::People]);
    let monthly_images = random.one_of(&[2, 5, 1000]);
    let sought = Sought { what, text: random.below(3) == 0, moderation: random.below(3) == 0 };
    Recognising { sought, monthly_images }
}

/// One history in six has somebody who wants to be told by every channel, and not at breakfast.
pub(crate) fn set_channels(mut random: Random, world: &mut World) {
    if random.below(6) > 0 {
        return;
    }
    let wants = Preferences {
        channels: vec![
            Channel::Email { to: "ann@example.org".into() },
            Channel::Webhook { url: "https://example.org".into(), secret: "a secret".into() },
            Channel::Ntfy { url: "https://ntfy.example.org/ann".into(), token: None },
        ],
        batch_s: random.one_of(&[60, 300]),
        quiet: random.one_of(&[None, Some("08:03-08:40")]).and_then(|quiet| quiet.parse().ok()),
        version: 1,
        ..Preferences::default()
    };
    let Ok(serde_json::Value::Object(mut row)) = serde_json::to_value(wants) else { unreachable!("it is a plain struct") };
    row.extend([("pk".to_owned(), "U#ann".into()), ("sk".to_owned(), "preferences".into())]);
    world.put(row, Expect::Absent);
}

/// One history in five has people who know better when something was taken.
fn corrections(mut random: Random, start: i64) -> Vec<i64> {
    let count = if random.per_mille(200) { 1 + random.below(3) } else { 0 };
    (0..count).map(|_| start + random.below(400_000) as i64).collect()
}

/// One history in eight has people who put things away.
fn trash(mut random: Random, start: i64) -> Vec<i64> {
    let count = if random.per_mille(125) { 1 + random.below(4) } else { 0 };
    (0..count).map(|_| start + random.below(600_000) as i64).collect()
}

/// Where things were put away, people may want them back: often just when clean-up comes for them.
fn takings_back(mut random: Random, start: i64) -> Vec<i64> {
    let count = random.below(3);
    let at = |_| match random.below(4) {
        0 => start + random.below(600_000) as i64,
        run => start + run as i64 * i64::from(CLEANUP.every_s) * 1000 + random.below(400) as i64,
    };
    (0..count).map(at).collect()
}

fn kind(random: &mut Random) -> FileKind {
    if random.per_mille(600) {
        return FileKind::Good;
    }
    random.one_of(&[
        FileKind::Video,
        FileKind::Text,
        FileKind::Damaged,
        FileKind::Unshowable,
        FileKind::ThumbnailErrs,
        FileKind::ThumbnailPanics,
        FileKind::ThumbnailDies,
        FileKind::ThumbnailSometimesErrs,
        FileKind::MetadataErrs,
        FileKind::MetadataPanics,
        FileKind::Forbidden,
    ])
}
