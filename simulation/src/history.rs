//! One history: from a seed to its end, or to the first promise that it breaks.

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::AtomicBool},
    task::{Context, Poll, Waker},
};

use futures::future::BoxFuture;
use photovault_sim::{Due, Happening, Random, Rates, Scheduler, SimulatedQueue, Simulation, Task, UPLOADS};

use crate::{
    events::{FAULTS, MORE_MS},
    promises::Promises,
    settings::{HEALTH, QUEUES, QueueSettings, queue_named},
    stream::{SHARDS, Shard},
    workload::{Stream, Workload, set_channels},
};

/// When histories begin: some instant; windows and clocks hang on it.
const START: i64 = 1_800_000_000_000;
/// How calls go while there are faults, in thousandths.
const RATES: Rates = Rates { before: 110, after: 110, slow: 30, death: 45 };
/// Steps after which a history is called endless.
const MAX_STEPS: u32 = 30_000;
/// Simulated time after the last fault within which everything must have ended: five receives of the longest visibility,
/// and again for the dead letters.
const MAX_REST_MS: i64 = 2 * 5 * 5400 * 1000;

/// How a history is run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Whether what happens is written down.
    pub story: bool,
    /// Faults that are left out, by number.
    pub suppressed: BTreeSet<u32>,
    /// First uploads that are left out, by number.
    pub dropped: BTreeSet<usize>,
}

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub promise: &'static str,
    /// How.
    pub what: String,
}

/// What came of a history.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The first promise that was broken.
    pub violation: Option<Violation>,
    /// Faults that happened.
    pub faults: u32,
    /// Faults that were drawn, left out or not.
    pub drawn: u32,
    /// Steps of the scheduler.
    pub steps: u32,
    /// Uploads.
    pub uploads: usize,
    /// What happened, where it was asked for.
    pub story: Vec<String>,
}

/// What the driver itself puts on the agenda.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Note {
    Poll(usize),
    Shard(usize),
    Timeout(Task),
    Upload(usize),
    Event(usize),
    Garbage(usize),
    Retry,
    Correct,
    Cure,
    More,
    Health,
    Trash,
    Restore,
    Again,
    Cleanup,
}

/// What a task is.
pub(crate) enum Work {
    Batch { queue: usize, receipts: Vec<(String, String)>, faulty: bool },
    Stream { shard: usize, count: usize },
    Schedule,
    Person,
}

/// How a task ended by itself.
pub(crate) enum End {
    Batch(Vec<String>),
    Stream(Option<String>),
    Alone,
}

pub(crate) struct Running {
    pub(crate) future: BoxFuture<'static, End>,
    pub(crate) work: Work,
}

pub(crate) struct History {
    pub(crate) simulation: Simulation,
    pub(crate) queues: Vec<SimulatedQueue>,
    pub(crate) polls: Vec<Option<i64>>,
    pub(crate) shards: Vec<Shard>,
    pub(crate) tasks: BTreeMap<Task, Running>,
    pub(crate) next_task: Task,
    pub(crate) messages: u32,
    /// Messages that are to come again while they are worked on.
    pub(crate) twice: BTreeSet<String>,
    pub(crate) random: Random,
    pub(crate) seed: Random,
    pub(crate) cured: Arc<AtomicBool>,
    pub(crate) promises: Promises,
    pub(crate) workload: Workload,
    notes: Vec<Note>,
    person: bool,
}

/// Runs the history of a seed.
pub fn run(seed: u64, options: &Options) -> Outcome {
    let mut history = History::new(seed, options);
    let mut steps = 0;
    let violation = history.live(&mut steps).err();
    // Tasks hold the world; they go first.
    history.tasks.clear();
    let mut scheduler = history.simulation.scheduler();
    let enough = scheduler.happened >= FAULTS || violation.is_some() || !options.suppressed.is_empty();
    assert!(enough, "history {seed} proves too little: {} faults happened", scheduler.happened);
    Outcome {
        violation,
        faults: scheduler.happened,
        drawn: scheduler.drawn,
        steps,
        uploads: history.workload.uploads.len(),
        story: scheduler.story.take().unwrap_or_default(),
    }
}

impl History {
    fn new(seed: u64, options: &Options) -> Self {
        let seed = Random::new(seed);
        let mut scheduler = Scheduler::new(seed.of(3), START, RATES);
        scheduler.suppressed.clone_from(&options.suppressed);
        scheduler.story = options.story.then(Vec::new);
        let queue = |settings: &QueueSettings| SimulatedQueue {
            visibility: i64::from(settings.visibility_s) * 1000,
            max_receives: settings.max_receives,
            messages: Vec::new(),
        };
        let workload = Workload::of(seed, START, &options.dropped);
        let recognising = workload.recognising;
        let simulation = Simulation::new(scheduler).recognising(recognising);
        set_channels(seed.of(12), &mut simulation.world());
        let mut history = Self {
            promises: Promises::new(simulation.clone(), recognising),
            simulation,
            queues: QUEUES.iter().map(queue).collect(),
            polls: vec![None; QUEUES.len()],
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
            tasks: BTreeMap::new(),
            next_task: 1,
            messages: 0,
            twice: BTreeSet::new(),
            random: seed.of(4),
            seed,
            cured: Arc::default(),
            workload,
            notes: Vec::new(),
            person: false,
        };
        history.plan();
        history
    }

    fn plan(&mut self) {
        for at in 0..self.workload.uploads.len() {
            self.at(self.workload.uploads[at].at, Note::Upload(at));
        }
        for at in 0..self.workload.garbage.len() {
            self.at(self.workload.garbage[at].0, Note::Garbage(at));
        }
        for at in self.workload.retries.clone() {
            self.at(at, Note::Retry);
        }
        for at in self.workload.corrections.clone() {
            self.at(at, Note::Correct);
        }
        if let Some(at) = self.workload.cure {
            self.at(at, Note::Cure);
        }
        self.at(START + MORE_MS, Note::More);
        self.plan_trash();
        if self.workload.stream == Stream::Trimmed {
            self.at(START + i64::from(HEALTH.every_s) * 1000, Note::Health);
        }
    }

    /// Lives through it: to rest with what poison there is, then cured and redriven to the end.
    fn live(&mut self, steps: &mut u32) -> Result<(), Violation> {
        self.settle(steps)?;
        if !self.promises.truth.given_up.is_empty() {
            self.redrive_stream(false);
            self.settle(steps)?;
        }
        self.promises.at_rest(false)?;
        self.cure();
        for _ in 0..2 {
            if self.promises.has_letters() {
                self.redrive_all();
                self.settle(steps)?;
            }
        }
        self.promises.at_rest(true)
    }

    /// Steps until nothing is on the agenda.
    fn settle(&mut self, steps: &mut u32) -> Result<(), Violation> {
        let mut calm_at = None;
        loop {
            let (due, now, faults_on) = {
                let mut scheduler = self.simulation.scheduler();
                (scheduler.advance(), scheduler.now, scheduler.faults_on)
            };
            let Some(due) = due else { return Ok(()) };
            *steps += 1;
            if !faults_on {
                let since = now - *calm_at.get_or_insert(now);
                Promises::goes_on(*steps, MAX_STEPS, since, MAX_REST_MS)?;
            }
            match due {
                Due::Call(task) => self.poll(task),
                Due::LastCall(task) => {
                    self.poll(task);
                    self.die(task);
                }
                Due::Death(task) => self.die(task),
                Due::Driver(note) => self.on(self.notes[note as usize]),
            }
            self.look_around()?;
            self.calm_down();
        }
    }

    fn on(&mut self, note: Note) {
        match note {
            Note::Poll(queue) => self.deliver(queue),
            Note::Shard(shard) => self.deliver_records(shard),
            Note::Timeout(task) => self.die(task),
            Note::Upload(at) => self.upload(at),
            Note::Event(at) => self.announce(at),
            Note::Garbage(at) => {
                let (_, queue, body) = self.workload.garbage[at].clone();
                self.promises.truth.garbage.insert(body.clone());
                self.send(queue, body, 0);
            }
            Note::Retry => self.retry_failed(),
            Note::Correct => self.correct_time(),
            Note::Cure => self.cure(),
            Note::More => self.more(),
            Note::Health => self.run_health(),
            Note::Trash => self.put_in_trash(),
            Note::Restore => self.restore(),
            Note::Again => self.upload_again(),
            Note::Cleanup => self.run_cleanup(),
        }
    }

    /// Puts something of the driver's on the agenda.
    pub(crate) fn at(&mut self, at: i64, note: Note) {
        self.notes.push(note);
        self.simulation.scheduler().at(at, Due::Driver(self.notes.len() as u32 - 1));
    }

    pub(crate) fn now(&self) -> i64 {
        self.simulation.scheduler().now
    }

    pub(crate) fn tell(&self, line: impl FnOnce() -> String) {
        self.simulation.scheduler().tell(line);
    }

    /// Puts a message into a queue.
    pub(crate) fn send(&mut self, queue: usize, body: String, delay_s: u32) {
        self.messages += 1;
        let now = self.now();
        let id = format!("m{}", self.messages);
        self.tell(|| format!("{id} to {}: {body}", QUEUES[queue].name));
        self.queues[queue].send(now, id, body, delay_s);
        self.wake(queue);
    }

    /// Starts a task; `key` names it in the seed.
    pub(crate) fn start(&mut self, key: u64, faulty: bool, timeout_s: u32, task: impl FnOnce(&mut Self, Task) -> Running) {
        let number = self.next_task;
        self.next_task += 1;
        let mut random = self.seed.of(key);
        // One worker in three has a clock that is minutes off, one that is seconds off.
        let skew = match random.below(3) {
            0 => 0,
            1 => random.below(4_000) as i64 - 2_000,
            _ => random.below(600_000) as i64 - 300_000,
        };
        self.simulation.scheduler().enter(number, key, skew, faulty);
        let running = task(self, number);
        self.tasks.insert(number, running);
        let end = self.now() + i64::from(timeout_s) * 1000;
        self.at(end, Note::Timeout(number));
        self.poll(number);
    }

    fn poll(&mut self, task: Task) {
        let Some(running) = self.tasks.get_mut(&task) else { return };
        self.person = matches!(running.work, Work::Person);
        let mut context = Context::from_waker(Waker::noop());
        let polled = catch_unwind(AssertUnwindSafe(|| running.future.as_mut().poll(&mut context)));
        match polled {
            Ok(Poll::Ready(end)) => {
                let work = self.tasks.remove(&task).expect("it was there").work;
                let marred = self.simulation.scheduler().leave(task);
                self.end(task, work, Some(end), marred);
            }
            // Nothing will ever wake it: the process is gone.
            Ok(Poll::Pending) if !self.simulation.scheduler().waits(task) => self.die(task),
            Ok(Poll::Pending) => {}
            Err(_) => self.die(task),
        }
    }

    fn die(&mut self, task: Task) {
        let Some(Running { work, future }) = self.tasks.remove(&task) else { return };
        drop(future);
        self.tell(|| format!("task {task} dies"));
        let marred = self.simulation.scheduler().leave(task);
        self.end(task, work, None, marred);
    }

    fn end(&mut self, task: Task, work: Work, end: Option<End>, marred: bool) {
        match (work, end) {
            (Work::Batch { queue, receipts, faulty }, end) => {
                let failed = match end {
                    Some(End::Batch(failed)) => Some(failed),
                    _ => None,
                };
                self.tell(|| format!("task {task} ends; failed: {failed:?}"));
                self.delivered(queue, receipts, failed.as_deref(), faulty && !marred);
            }
            (Work::Stream { shard, count }, end) => {
                let failed = match end {
                    Some(End::Stream(failed)) => Ok(failed),
                    _ => Err(()),
                };
                self.tell(|| format!("task {task} ends; again from: {failed:?}"));
                self.read(shard, count, failed, marred);
            }
            (Work::Person, _) => self.promises.truth.interrupted |= marred,
            (Work::Schedule, _) => {}
        }
    }

    /// Moves what calls left in the world to where it goes, and holds the promises against what happened.
    fn look_around(&mut self) -> Result<(), Violation> {
        let (sent, returned, happened) = {
            let mut world = self.simulation.world();
            // What happened tells the same of each item, and more.
            world.stream.clear();
            let happened = world.happened.as_mut().map(std::mem::take).unwrap_or_default();
            (std::mem::take(&mut world.sent), std::mem::take(&mut world.returned), happened)
        };
        for sent in sent {
            let queue = queue_named(&sent.queue);
            self.send(queue, sent.message.body, sent.message.delay_s);
        }
        for (queue, receipt, seconds) in returned {
            let queue = queue_named(&queue);
            let now = self.now();
            self.queues[queue].return_after(now, &receipt, seconds);
            self.wake(queue);
        }
        for happening in happened {
            if let Happening::Stored { at, version, bytes, .. } = &happening
                && at.bucket == UPLOADS
            {
                self.recovered(at, version.clone(), bytes);
            }
            if let Some((before, after)) = self.promises.step(happening, self.person)? {
                self.append(before, after);
            }
        }
        self.promises.pending()
    }
}
