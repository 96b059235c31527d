//! The scheduler of a simulation: one seed, one clock, one agenda. A call to a seam waits until the agenda comes to it, and
//! the seed says how long that takes and how the call goes.
//!
//! Every draw for a call comes from a generator of its task's own, so that a history stays much the same when one fault is
//! left out of it: that is what makes shrinking work.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
    task::{Poll, Waker},
};

use crate::{Fault, Random};

/// Names a task: one invocation of a function, or somebody at a command line.
pub type Task = u32;

/// What comes up on the agenda.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// A call of a task has its turn: the task is to be polled.
    Call(Task),
    /// A call of a task has its turn, and the worker dies right after it.
    LastCall(Task),
    /// The worker dies.
    Death(Task),
    /// What the driver of the simulation put on the agenda.
    Driver(u32),
}

/// How calls go, in thousandths of all calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Fail before their effect.
    pub before: u64,
    /// Fail after their effect.
    pub after: u64,
    /// Take long.
    pub slow: u64,
    /// Never return: the worker dies, before or after the effect.
    pub death: u64,
}

/// The longest usual wait for a call, ms.
const USUAL_MS: u64 = 40;
/// The longest unusual one, ms: longer than the time in which messages of a batch are begun.
const SLOW_MS: u64 = 50_000;

/// A call that waits.
struct Waiting {
    call: u32,
    fault: Option<Fault>,
    ready: bool,
    /// The fault that was drawn for it, if one was: whether it happens when the call has its turn.
    drawn: Option<bool>,
    waker: Waker,
    /// What it is, while somebody wants to read it.
    what: Option<String>,
}

/// A task's place in the scheduler.
struct Place {
    random: Random,
    skew: i64,
    faulty: bool,
    marred: bool,
    waiting: Vec<Waiting>,
    calls: u32,
}

/// The scheduler.
pub struct Scheduler {
    /// Now, ms.
    pub now: i64,
    /// How calls go while there are faults.
    pub rates: Rates,
    /// Whether there are faults still.
    pub faults_on: bool,
    /// Faults that were drawn, suppressed ones included: each has this number at its draw.
    pub drawn: u32,
    /// Faults that happened. One that was drawn does not where its call never has its turn: its worker was gone before.
    pub happened: u32,
    /// Faults that happened or would have, had they not been suppressed.
    pub met: u32,
    /// Faults that do not happen although they are drawn.
    pub suppressed: BTreeSet<u32>,
    /// What happened, in words; `None` while nobody wants to read it.
    pub story: Option<Vec<String>>,
    seed: Random,
    order: u64,
    agenda: BinaryHeap<Reverse<(i64, u64, Due, u32)>>,
    places: BTreeMap<Task, Place>,
}

impl Scheduler {
    /// A scheduler at `now`.
    pub fn new(seed: Random, now: i64, rates: Rates) -> Self {
        Self {
            now,
            rates,
            faults_on: true,
            drawn: 0,
            happened: 0,
            met: 0,
            suppressed: BTreeSet::new(),
            story: None,
            seed,
            order: 0,
            agenda: BinaryHeap::new(),
            places: BTreeMap::new(),
        }
    }

    /// Adds a task whose clock is off by `skew` ms; `key` names it in the seed; without `faulty` it meets no faults.
    pub fn enter(&mut self, task: Task, key: u64, skew: i64, faulty: bool) {
        let random = self.seed.of(key);
        self.places.insert(task, Place { random, skew, faulty, marred: false, waiting: Vec::new(), calls: 0 });
    }

    /// Removes a task; whether it met a fault.
    pub fn leave(&mut self, task: Task) -> bool {
        self.places.remove(&task).is_some_and(|place| place.marred)
    }

    /// Whether a task waits for a call.
    pub fn waits(&self, task: Task) -> bool {
        self.places.get(&task).is_some_and(|place| !place.waiting.is_empty())
    }

    /// Puts something of the driver's on the agenda.
    pub fn at(&mut self, at: i64, due: Due) {
        self.push(at, due, 0);
    }

    /// What comes next; the clock goes there. The fate of a call is set, and who waits for it is woken.
    pub fn advance(&mut self) -> Option<Due> {
        loop {
            let Reverse((at, _, due, call)) = self.agenda.pop()?;
            self.now = self.now.max(at);
            let (Due::Call(task) | Due::LastCall(task) | Due::Death(task)) = due else { return Some(due) };
            let Some(place) = self.places.get_mut(&task) else { continue };
            if let Some(waiting) = place.waiting.iter_mut().find(|waiting| waiting.call == call) {
                if due != Due::Death(task) {
                    waiting.ready = true;
                    waiting.waker.wake_by_ref();
                }
                let (what, drawn) = (waiting.what.take(), waiting.drawn);
                if let Some(happens) = drawn {
                    self.count(happens);
                }
                if let Some(what) = what {
                    self.tell(|| what);
                }
                return Some(due);
            }
        }
    }

    /// A fault of the driver's own was drawn; whether it happens, which is now.
    pub fn fault(&mut self, drawn: bool, what: impl FnOnce() -> String) -> bool {
        let happens = self.fault_to_come(drawn, what);
        if happens {
            self.count(true);
        }
        happens
    }

    /// The same of a fault that happens later, or not at all: whoever sees it happen counts it.
    pub fn fault_to_come(&mut self, drawn: bool, what: impl FnOnce() -> String) -> bool {
        let number = self.drawn;
        let Some(happens) = self.draw_fault(drawn) else { return false };
        if happens {
            self.tell(|| format!("← fault {number}: {}", what()));
        } else {
            self.count(false);
        }
        happens
    }

    /// A fault has its moment; whether it happens or is suppressed.
    pub fn count(&mut self, happens: bool) {
        self.met += 1;
        self.happened += u32::from(happens);
    }

    /// Gives a fault that was drawn its number; whether it is to happen.
    fn draw_fault(&mut self, drawn: bool) -> Option<bool> {
        if !drawn || !self.faults_on {
            return None;
        }
        self.drawn += 1;
        Some(!self.suppressed.contains(&(self.drawn - 1)))
    }

    /// Adds a line to the story.
    pub fn tell(&mut self, line: impl FnOnce() -> String) {
        let now = self.now;
        if let Some(story) = &mut self.story {
            story.push(format!("{:>11.3} s  {}", now as f64 / 1000.0, line()));
        }
    }

    pub(crate) fn clock(&self, task: Task) -> i64 {
        self.now + self.places.get(&task).map_or(0, |place| place.skew)
    }

    pub(crate) fn bits(&mut self, task: Task) -> u64 {
        self.places.get_mut(&task).map_or(0, |place| place.random.bits())
    }

    /// A call wants its turn; gives its number.
    pub(crate) fn request(&mut self, task: Task, call: &'static str, about: &dyn Fn() -> String) -> u32 {
        let rates = self.rates;
        let Some(place) = self.places.get_mut(&task) else { return 0 };
        let number = place.calls;
        place.calls += 1;
        let mut wait = 1 + place.random.below(USUAL_MS);
        let draw = place.random.below(1000);
        let more = place.random.bits();
        let kinds = [rates.before, rates.after, rates.slow, rates.death];
        let mut bound = 0;
        let kind = kinds.iter().position(|rate| {
            bound += rate;
            draw < bound
        });
        let kind = if place.faulty { kind } else { None };
        let fault = self.drawn;
        let drawn = self.draw_fault(kind.is_some());
        let kind = kind.filter(|_| drawn == Some(true));
        let names = ["fails before its effect", "fails after its effect", "is slow", "never returns"];
        let how = kind.map_or_else(String::new, |kind| format!(" ← fault {fault}: {}", names[kind]));
        let what = self.story.is_some().then(|| format!("  task {task}: {call} {}{how}", about()));
        let Some(place) = self.places.get_mut(&task) else { return 0 };
        place.marred |= kind.is_some();
        let fault = match kind {
            Some(0) if call == "send" && more % 2 == 0 => Some(Fault::Part),
            Some(0) => Some(Fault::Before),
            Some(1) => Some(Fault::After),
            _ => None,
        };
        if kind == Some(2) {
            wait += more % SLOW_MS;
        }
        let due = match kind {
            Some(3) if more % 2 == 0 => Due::Death(task),
            Some(3) => Due::LastCall(task),
            _ => Due::Call(task),
        };
        place.waiting.push(Waiting { call: number, fault, ready: false, drawn, waker: Waker::noop().clone(), what });
        self.push(self.now + wait as i64, due, number);
        number
    }

    /// Whether the call has had its turn, and how it goes. Before that, `waker` is who waits for it.
    pub(crate) fn poll(&mut self, task: Task, call: u32, waker: &Waker) -> Poll<Option<Fault>> {
        let Some(place) = self.places.get_mut(&task) else { return Poll::Pending };
        let Some(at) = place.waiting.iter().position(|waiting| waiting.call == call) else { return Poll::Pending };
        if place.waiting[at].ready {
            return Poll::Ready(place.waiting.swap_remove(at).fault);
        }
        place.waiting[at].waker.clone_from(waker);
        Poll::Pending
    }

    /// Nobody waits for a call any more.
    pub(crate) fn forget(&mut self, task: Task, call: u32) {
        if let Some(place) = self.places.get_mut(&task) {
            place.waiting.retain(|waiting| waiting.call != call);
        }
    }

    fn push(&mut self, at: i64, due: Due, call: u32) {
        self.order += 1;
        self.agenda.push(Reverse((at, self.order, due, call)));
    }
}
