//! The promises, one file each: what is held against every step, and at rest.

mod effects;
mod ends;
mod letters;
mod mailing;
mod moments;
mod originals;
mod recognition;
mod rest;
mod sidecars;
mod telling;
mod trash;
mod truth;

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use photovault_domain::{Media, Medium, Notice, Recognising, Tags};
use photovault_sim::{Happening, Simulation, UPLOADS, World};
use photovault_vault::{Digest, MEDIA_PREFIX, Mailing, media_of_row, seams::ObjectAt};
use serde::Deserialize as _;

pub(crate) use self::truth::Truth;
use crate::{history::Violation, workload::Upload};

/// A promise's name and what it says.
pub const PROMISES: &[(&str, &str)] = &[
    ("ends", "each accepted upload reaches exactly one end, and an end stands until somebody asks again"),
    ("effects", "no stage's effect is lost or doubled"),
    ("telling", "nothing is told before it is true, nor twice in the inbox, every end is told, and no channel is told twice"),
    ("originals", "an original never changes, and an upload goes only when it is kept"),
    ("trash", "nothing is removed that an item names, unless the item leaves out of the trash, and then all of it is"),
    ("letters", "dead letters are exactly what cannot succeed"),
    ("moments", "timelines hold what is placed, and moments begin where a batch over all of it says"),
    ("recognition", "no picture is paid for twice, nor more of them than were agreed, and what was seen is what the item says"),
    ("sidecars", "a photo says what the sidecar beside it says, whichever of them came first"),
    ("rest", "after the faults stop, everything ends within a bound"),
];

/// What the partition keys of letters begin with.
pub(crate) const LETTERS: &str = "X#";

/// A table's row key.
pub(crate) type Key = (String, String);

/// An item before a write, where it was there, and after it.
pub(crate) type Images = (Option<Arc<Media>>, Arc<Media>);

/// What happened, in the domain's words.
pub(crate) enum Event<'a> {
    Item { by_person: bool, before: Option<&'a Media>, after: &'a Media },
    Digest { before: Option<&'a Digest>, after: &'a Digest },
    Stored { at: &'a ObjectAt, bytes: &'a Bytes, before: Option<&'a Bytes> },
    Dropped { at: &'a ObjectAt },
    Gone { media: &'a Media },
    Mailing { after: &'a Mailing },
    Published { medium: Medium, notice: &'a Notice },
    Recognised { key: &'a str, look: &'a str },
    Kept { sha256: &'a str, tags: &'a Tags },
    Buried { queue: &'static str, body: &'a str },
}

/// What there is besides the event's own row.
pub(crate) struct Scene<'a> {
    pub(crate) truth: &'a Truth,
    pub(crate) items: &'a BTreeMap<Key, Arc<Media>>,
    pub(crate) digests: &'a BTreeMap<Key, Digest>,
    pub(crate) world: &'a World,
}

impl Scene<'_> {
    /// Whether an upload is still in its bucket.
    pub(crate) fn lies_there(&self, upload: &Upload) -> bool {
        let versions = self.world.objects.get(&(UPLOADS.to_owned(), upload.key.clone()));
        versions.is_some_and(|versions| versions.iter().any(|it| Some(&it.version) == upload.version.as_ref()))
    }
}

/// One promise. An error says how it was broken.
pub(crate) trait Promise {
    /// Its name among [`PROMISES`].
    fn name(&self) -> &'static str;
    /// Holds it against a step.
    fn step(&mut self, _event: &Event, _scene: &Scene) -> Result<(), String> {
        Ok(())
    }
    /// Holds it against the end: `cured` when no cause of failure was left and everything was redriven.
    fn at_rest(&mut self, _scene: &Scene, _cured: bool) -> Result<(), String> {
        Ok(())
    }
}

/// All promises and what they know.
pub(crate) struct Promises {
    pub(crate) truth: Truth,
    simulation: Simulation,
    items: BTreeMap<Key, Arc<Media>>,
    digests: BTreeMap<Key, Digest>,
    held: Vec<Box<dyn Promise>>,
    buried: Vec<(&'static str, String)>,
}

impl Promises {
    pub(crate) fn new(simulation: Simulation, recognising: Recognising) -> Self {
        Self {
            truth: Truth::default(),
            simulation,
            items: BTreeMap::new(),
            digests: BTreeMap::new(),
            held: vec![
                Box::new(ends::Ends),
                Box::new(effects::Effects),
                Box::new(telling::Telling::default()),
                Box::new(mailing::Mailings::default()),
                Box::new(originals::Originals),
                Box::new(trash::Trash),
                Box::new(letters::Letters),
                Box::new(moments::Moments),
                Box::new(recognition::Recognition::new(recognising)),
                Box::new(sidecars::Sidecars),
            ],
            buried: Vec::new(),
        }
    }

    pub(crate) fn items(&self) -> impl Iterator<Item = &Media> {
        self.items.values().map(AsRef::as_ref)
    }

    /// Whether letters are kept that somebody could redrive.
    pub(crate) fn has_letters(&self) -> bool {
        self.simulation.world().rows.keys().any(|(pk, _)| pk.starts_with(LETTERS))
    }

    /// A message went to its dead letters.
    pub(crate) fn buried(&mut self, queue: &'static str, body: &str) {
        self.buried.push((queue, body.to_owned()));
    }

    /// Holds the promises against what was buried since.
    pub(crate) fn pending(&mut self) -> Result<(), Violation> {
        for (queue, body) in std::mem::take(&mut self.buried) {
            self.hold(&Event::Buried { queue, body: &body })?;
        }
        Ok(())
    }

    /// Holds the promises against something that happened; gives the item's images where it is an item that changed.
    pub(crate) fn step(&mut self, happening: Happening, by_person: bool) -> Result<Option<Images>, Violation> {
        match happening {
            Happening::Put { key, after, .. } if key.1.starts_with(MEDIA_PREFIX) => {
                let after = Arc::new(media_of_row(&after).map_err(|error| unreadable(&error))?);
                let before = self.items.remove(&key);
                if after.leaving.is_some() && before.as_ref().is_none_or(|before| before.leaving.is_none()) {
                    // What is uploaded from here on is not let go with it.
                    self.truth.let_go.extend(after.uploads.iter().map(|upload| (upload.key.clone(), upload.version.clone())));
                }
                self.hold(&Event::Item { by_person, before: before.as_deref(), after: &after })?;
                self.items.insert(key, after.clone());
                return Ok(Some((before, after)));
            }
            // Faces of a photo that a recogniser keeps have such keys too.
            Happening::Put { key, after, .. } if key.1.starts_with("I#") && !key.0.ends_with("#F") => {
                let after = Digest::deserialize(&*after).map_err(|error| unreadable(&error))?;
                let before = self.digests.remove(&key);
                self.hold(&Event::Digest { before: before.as_ref(), after: &after })?;
                self.digests.insert(key, after);
            }
            Happening::Put { key, after, .. } if key.0.ends_with("#C") => {
                let after = Mailing::deserialize(&*after).map_err(|error| unreadable(&error))?;
                self.hold(&Event::Mailing { after: &after })?;
            }
            Happening::Put { key, after, .. } => {
                if let (Some(sha256), Some(tags)) = (key.0.strip_prefix("R#"), after.get("tags")) {
                    let tags = Tags::deserialize(tags).map_err(|error| unreadable(&error))?;
                    self.hold(&Event::Kept { sha256, tags: &tags })?;
                }
            }
            Happening::Removed { key } => {
                if let Some(media) = self.items.remove(&key) {
                    self.hold(&Event::Gone { media: &media })?;
                }
            }
            Happening::Stored { at, bytes, before, .. } => {
                self.hold(&Event::Stored { at: &at, bytes: &bytes, before: before.as_ref() })?;
            }
            Happening::Dropped { at } => self.hold(&Event::Dropped { at: &at })?,
            Happening::Published { medium, notice } => self.hold(&Event::Published { medium, notice: &notice })?,
            Happening::Recognised { at, look } => self.hold(&Event::Recognised { key: &at.key, look })?,
        }
        Ok(None)
    }

    /// Holds the bound of [`rest`].
    pub(crate) fn goes_on(steps: u32, most_steps: u32, since_ms: i64, most_ms: i64) -> Result<(), Violation> {
        rest::goes_on(steps, most_steps, since_ms, most_ms).map_err(|what| Violation { promise: "rest", what })
    }

    /// Holds the promises against the end.
    pub(crate) fn at_rest(&mut self, cured: bool) -> Result<(), Violation> {
        self.each(|promise, scene| promise.at_rest(scene, cured))?;
        let world = self.simulation.world();
        rest::at_rest(&self.items, &world).map_err(|what| Violation { promise: "rest", what })
    }

    fn hold(&mut self, event: &Event) -> Result<(), Violation> {
        self.each(|promise, scene| promise.step(event, scene))
    }

    fn each(&mut self, mut check: impl FnMut(&mut dyn Promise, &Scene) -> Result<(), String>) -> Result<(), Violation> {
        let world = self.simulation.world();
        let scene = Scene { truth: &self.truth, items: &self.items, digests: &self.digests, world: &world };
        for promise in &mut self.held {
            check(promise.as_mut(), &scene).map_err(|what| Violation { promise: promise.name(), what })?;
        }
        Ok(())
    }
}

fn unreadable(error: &dyn std::fmt::Display) -> Violation {
    Violation { promise: "effects", what: format!("a row cannot be read: {error}") }
}
