//! A fabric whose calls have their turn at once: for tests of single handlers, with faults by script or none.

use std::{
    future::{Ready, ready},
    sync::{Arc, Mutex, MutexGuard},
};

use photovault_domain::{Recognising, UtcMs};
use photovault_vault::{Names, Seams, Vault};

use crate::{
    Fault, World,
    seams::{Door, Outside, names},
};

/// A handle on the simulated outside; clones share it.
#[derive(Clone, Default)]
pub struct Fabric(Arc<Mutex<World>>);

impl Fabric {
    /// The world behind the seams.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().expect("one thread at a time, and none panics while it holds the world")
    }

    /// A vault over this fabric. Queue URLs are the stages' names.
    pub fn vault(&self) -> Vault {
        Vault::new(self.seams(), names())
    }

    /// The same, which pays for recognising.
    pub fn recognising(&self, recognising: Recognising) -> Vault {
        Vault::new(self.seams(), Names { recognising, ..names() })
    }

    /// The seams alone.
    pub fn seams(&self) -> Seams {
        Outside(self.clone()).seams()
    }
}

impl Door for Fabric {
    type Turn = Ready<Option<Fault>>;

    /// Meets the next fault of the script, and passes a millisecond.
    fn turn(&self, _call: &'static str, _about: &dyn Fn() -> String) -> Self::Turn {
        let mut world = self.world();
        world.now.0 += 1;
        ready(world.faults.pop_front().flatten())
    }

    fn world(&self) -> MutexGuard<'_, World> {
        Self::world(self)
    }

    fn now(&self) -> UtcMs {
        self.world().now
    }

    fn random(&self) -> u64 {
        let mut world = self.world();
        world.calls += 1;
        world.calls
    }
}
