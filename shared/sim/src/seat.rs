//! The seams of one task of a simulation: each call waits until the scheduler gives it its turn.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll},
};

use photovault_domain::{Recognising, UtcMs};
use photovault_vault::{Names, Vault};

use crate::{
    Fault, Scheduler, World,
    scheduler::Task,
    seams::{Door, Outside, names},
};

/// The world of a simulation and what comes next in it. Clones share both.
#[derive(Clone)]
pub struct Simulation {
    world: Arc<Mutex<World>>,
    scheduler: Arc<Mutex<Scheduler>>,
    names: Arc<Names>,
}

impl Simulation {
    /// An empty world under a scheduler.
    pub fn new(scheduler: Scheduler) -> Self {
        let world = World { now: UtcMs(scheduler.now), happened: Some(Vec::new()), ..World::default() };
        Self { world: Arc::new(Mutex::new(world)), scheduler: Arc::new(Mutex::new(scheduler)), names: names().into() }
    }

    /// The same, whose vaults pay for recognising.
    #[must_use]
    pub fn recognising(self, recognising: Recognising) -> Self {
        Self { names: Names { recognising, ..names() }.into(), ..self }
    }

    /// The world.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("one thread, and none panics while it holds the world")
    }

    /// The scheduler.
    pub fn scheduler(&self) -> MutexGuard<'_, Scheduler> {
        self.scheduler.lock().expect("one thread, and none panics while it holds the scheduler")
    }

    /// A vault as `task` sees it.
    pub fn vault(&self, task: Task) -> Vault {
        let seat = Seat { world: self.world.clone(), scheduler: self.scheduler.clone(), task };
        Vault::new(Outside(seat).seams(), self.names.clone())
    }
}

/// A task's way to the outside.
#[derive(Clone)]
pub(crate) struct Seat {
    world: Arc<Mutex<World>>,
    scheduler: Arc<Mutex<Scheduler>>,
    task: Task,
}

impl Seat {
    fn scheduler(&self) -> MutexGuard<'_, Scheduler> {
        self.scheduler.lock().expect("one thread, and none panics while it holds the scheduler")
    }
}

impl Door for Seat {
    type Turn = Turn;

    fn turn(&self, call: &'static str, about: &dyn Fn() -> String) -> Turn {
        let call = self.scheduler().request(self.task, call, about);
        Turn { scheduler: self.scheduler.clone(), task: self.task, call }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        let now = self.scheduler().now;
        let mut world = self.world.lock().expect("one thread, and none panics while it holds the world");
        world.now = UtcMs(now);
        world
    }

    fn now(&self) -> UtcMs {
        UtcMs(self.scheduler().clock(self.task))
    }

    fn random(&self) -> u64 {
        self.scheduler().bits(self.task)
    }
}

/// A call that waits for its turn.
pub(crate) struct Turn {
    scheduler: Arc<Mutex<Scheduler>>,
    task: Task,
    call: u32,
}

impl Future for Turn {
    type Output = Option<Fault>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut scheduler = self.scheduler.lock().expect("one thread, and none panics while it holds the scheduler");
        scheduler.poll(self.task, self.call, context.waker())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.scheduler.lock().expect("one thread, and none panics while it holds the scheduler").forget(self.task, self.call);
    }
}
