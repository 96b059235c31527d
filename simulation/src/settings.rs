//! The numbers of `template.yaml` that decide how messages travel. A test holds them against the template.

/// A queue and the mapping that empties it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueSettings {
    /// Its name without the stack's.
    pub name: &'static str,
    /// The function that it feeds.
    pub function: &'static str,
    /// How long a received message is hidden.
    pub visibility_s: u32,
    /// After how many receives a message goes to `<name>-dlq`; dead letters come until they are taken.
    pub max_receives: Option<u32>,
    /// Messages of one batch at most.
    pub batch: usize,
    /// How long a batch is gathered.
    pub window_s: u32,
    /// Batches at once.
    pub concurrency: usize,
    /// When an invocation is ended.
    pub timeout_s: u32,
}

/// The stream's mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamSettings {
    /// Records of one batch at most.
    pub batch: usize,
    /// Attempts after the first before a record is given up.
    pub retries: u32,
    /// When an invocation is ended.
    pub timeout_s: u32,
}

/// The mapping of the catalog's stream to `dispatch`.
pub const STREAM: StreamSettings = StreamSettings { batch: 100, retries: 5, timeout_s: 60 };

/// The schedule of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScheduleSettings {
    /// How often it runs.
    pub every_s: u32,
    /// When a run is ended.
    pub timeout_s: u32,
}

/// How `health` runs.
pub const HEALTH: ScheduleSettings = ScheduleSettings { every_s: 300, timeout_s: 240 };
/// How `cleanup` runs; more often than in the template, where histories would end before it.
pub(crate) const CLEANUP: ScheduleSettings = ScheduleSettings { every_s: 180, timeout_s: 240 };

/// The queues: the stages' in pipeline order and the worker's, then their dead letters in the same order, then the dispatcher's.
pub const QUEUES: [QueueSettings; 17] = [
    stage("validate", 720, 5, 0, 20, 120),
    stage("thumbnail", 360, 1, 0, 50, 60),
    stage("metadata", 180, 5, 0, 50, 30),
    stage("video", 5400, 1, 0, 10, 900),
    stage("memories", 180, 10, 0, 10, 30),
    stage("tag", 180, 10, 0, 5, 30),
    stage("notify", 180, 100, 5, 2, 30),
    WORKER,
    dead("validate-dlq"),
    dead("thumbnail-dlq"),
    dead("metadata-dlq"),
    dead("video-dlq"),
    dead("memories-dlq"),
    dead("tag-dlq"),
    dead("notify-dlq"),
    dead("video-slow-dlq"),
    dead("dispatch-dlq"),
];

/// Where the stages' dead letters begin among [`QUEUES`].
pub(crate) const FIRST_DEAD: usize = 8;
/// The dispatcher's dead letters among [`QUEUES`].
pub(crate) const DISPATCH_DEAD: usize = 16;

/// The queue of that name.
pub(crate) fn queue_named(name: &str) -> usize {
    QUEUES.iter().position(|settings| settings.name == name).unwrap_or(0)
}

/// The worker has no time limit: here it is interrupted before its message comes again.
const WORKER: QueueSettings = QueueSettings {
    name: "video-slow",
    function: "worker",
    visibility_s: 120,
    max_receives: Some(25),
    batch: 1,
    window_s: 0,
    concurrency: 4,
    timeout_s: 100,
};

const fn stage(
    name: &'static str,
    visibility_s: u32,
    batch: usize,
    window_s: u32,
    concurrency: usize,
    timeout_s: u32,
) -> QueueSettings {
    QueueSettings { name, function: name, visibility_s, max_receives: Some(5), batch, window_s, concurrency, timeout_s }
}

const fn dead(name: &'static str) -> QueueSettings {
    QueueSettings {
        name,
        function: "failures",
        visibility_s: 360,
        max_receives: None,
        batch: 10,
        window_s: 0,
        concurrency: 2,
        timeout_s: 60,
    }
}
