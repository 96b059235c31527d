//! A running engine for the stories: the real `photovault` on a free port, its data in a temporary folder.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

use photovault_aws::{Connection, Endpoint, Reach, connect};
use photovault_domain::Status;
use photovault_tests::project;
use photovault_vault::seams::{ObjectAt, Served};
use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take that is not expected to fail.
const PATIENCE: Duration = Duration::from_mins(4);

/// An engine and its data folder. Dropped, it is killed.
pub(crate) struct Engine {
    folder: TempDir,
    options: Vec<String>,
    process: Child,
    /// When it answered, after its start.
    pub(crate) ready_after: Duration,
}

impl Engine {
    /// Starts an engine on an empty folder.
    pub(crate) fn start() -> Self {
        Self::start_with(None)
    }

    /// The same, with another text of the template.
    pub(crate) fn start_with(template: Option<&str>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let options = template.map(|text| with_template(folder.path(), text)).unwrap_or_default();
        Self::start_in(folder, options)
    }

    /// One with these options of `up`.
    pub(crate) fn start_with_options(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self::start_in(folder, options.iter().map(ToString::to_string).collect())
    }

    fn start_in(folder: TempDir, options: Vec<String>) -> Self {
        let (process, ready_after) = spawn(&folder.path().join("data"), &options);
        Self { folder, options, process, ready_after }
    }

    /// `kill -9`, and a new one on the same data with another template; `None` is the project's own.
    pub(crate) fn restart_with(&mut self, template: Option<&str>) {
        self.kill();
        self.options = template.map(|text| with_template(self.folder.path(), text)).unwrap_or_default();
        (self.process, self.ready_after) = spawn(&self.data(), &self.options);
    }

    /// `kill -9`, and another one so soon after a new start that it is hardly there; then one that may live.
    pub(crate) fn kill_while_starting(&mut self, after: Duration) {
        self.kill();
        self.process = started(&self.data(), &self.options);
        thread::sleep(after);
        self.kill_and_restart();
    }

    /// `kill -9`, and a new one on the same data.
    pub(crate) fn kill_and_restart(&mut self) {
        self.kill();
        (self.process, self.ready_after) = spawn(&self.data(), &self.options);
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    fn kill(&mut self) {
        self.process.kill().expect("the engine can be killed");
        self.process.wait().expect("the engine ends");
    }

    /// Its data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A place for the story's own files.
    pub(crate) fn scratch(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The command, on this engine.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = photovault();
        command.args(arguments).arg("--data").arg(self.data());
        command
    }

    /// Runs the command with `--json`, wants success, and gives its objects.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Vec<Value> {
        json_lines(&succeeded(self.command(arguments).arg("--json")))
    }

    /// One item as `show` gives it.
    pub(crate) fn show(&self, media: &str, user: &str) -> Value {
        self.ask(&["show", media, "--user", user]).remove(0)
    }

    /// Waits until `user` has `count` items and all have been told of; gives them by name.
    pub(crate) fn settled(&self, user: &str, count: usize) -> Vec<Value> {
        let told = |item: &Value| states(item).iter().all(|(_, state)| !["pending", "running"].contains(&state.as_str()));
        self.wait_for(&format!("{count} settled items of {user}"), || {
            let items = self.ask(&["ls", "--user", user, "--limit", "100000"]);
            (items.len() == count && items.iter().all(told)).then_some(items)
        })
    }

    /// Waits until `look` sees what it looks for.
    pub(crate) fn wait_for<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            if let Some(seen) = look() {
                return seen;
            }
            assert!(started.elapsed() < PATIENCE, "{what}: not within {} s\n{}", PATIENCE.as_secs(), self.log());
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// The end of what the functions logged.
    fn log(&self) -> String {
        let logs = std::fs::read_dir(self.data().join("logs")).into_iter().flatten().flatten();
        let texts = logs.filter_map(|entry| std::fs::read_to_string(entry.path()).ok());
        texts.flat_map(|text| text.lines().rev().take(5).map(str::to_owned).collect::<Vec<_>>()).collect::<Vec<_>>().join("\n")
    }

    /// Messages in all queues: waiting, delayed, held, dead.
    pub(crate) fn backlog(&self) -> u64 {
        let endpoint = self.announced()["endpoint"].as_str().expect("an endpoint").trim_start_matches("http://").to_owned();
        let mut stream = TcpStream::connect(endpoint).expect("the engine answers");
        stream.write_all(b"GET /_photovault/health HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n\r\n").expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let body = answer.split_once("\r\n\r\n").expect("a body").1;
        let health: Value = serde_json::from_str(body).expect("health is JSON");
        let counts =
            health["queues"].as_object().expect("queues").values().flat_map(|it| it.as_object().expect("counts").values());
        counts.map(|count| count.as_u64().expect("a count")).sum()
    }

    /// The running engine's own file.
    pub(crate) fn announced(&self) -> Value {
        let text = std::fs::read_to_string(self.data().join("engine.json")).expect("a running engine has its file");
        serde_json::from_str(&text).expect("engine.json")
    }

    /// The seams on this engine, as a function has them.
    pub(crate) async fn connection(&self) -> Connection {
        let announced = self.announced();
        let field = |name: &str| announced[name].as_str().expect("a field of engine.json").to_owned();
        let endpoint = Endpoint {
            url: field("endpoint"),
            access_key: field("access_key"),
            secret_key: field("secret_key"),
            region: field("region"),
        };
        connect(Reach::Endpoint(&endpoint), &field("table")).await
    }

    /// Puts an object into the uploads bucket, under any key.
    pub(crate) async fn upload(&self, key: &str, bytes: Vec<u8>) {
        let at = self.object("uploads_bucket", key);
        let served = Served { mime: "application/octet-stream".into(), immutable: false };
        self.connection().await.seams.objects.write(&at, bytes.into(), &served).await.expect("the upload is taken");
    }

    /// An object in one of the buckets that engine.json names.
    pub(crate) fn object(&self, bucket: &str, key: &str) -> ObjectAt {
        let bucket = self.announced()[bucket].as_str().expect("a bucket").to_owned();
        ObjectAt { bucket, key: key.to_owned(), version: None }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // A second kill of what has ended is no error that matters here.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn with_template(folder: &Path, template: &str) -> Vec<String> {
    let path = folder.join("template.yaml");
    std::fs::write(&path, template).expect("a template");
    vec!["--template".to_owned(), path.to_string_lossy().into_owned()]
}

fn started(data: &Path, options: &[String]) -> Child {
    let mut command = photovault();
    command.args(["up", "--json", "--address", "127.0.0.1:0", "--data"]).arg(data).args(options);
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("photovault starts")
}

fn spawn(data: &Path, options: &[String]) -> (Child, Duration) {
    let began = Instant::now();
    let mut process = started(data, options);
    let mut lines = BufReader::new(process.stdout.take().expect("its output is piped"));
    let mut ready = String::new();
    lines.read_line(&mut ready).expect("its output is text");
    assert!(!ready.is_empty(), "the engine ended before it was ready: {:?}", process.wait());
    // Nobody reads on: a full pipe must not stop the engine.
    thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
    (process, began.elapsed())
}

/// The command, built from the sources as they are.
pub(crate) fn photovault() -> Command {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let program = BUILT.get_or_init(|| {
        // <target>/release/deps/vault-… is this program.
        let test = std::env::current_exe().expect("this program has a path");
        let target = test.ancestors().nth(3).expect("it lies in the target folder");
        let mut build = Command::new(env!("CARGO"));
        build
            .args(["build", "--quiet", "--release", "--workspace", "--bin", "photovault", "--bin", "video", "--target-dir"])
            .arg(target);
        // What cargo tells this test of its own package: ring is built anew where that changes, and all that stands on it.
        let names = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
        for name in names.filter(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            build.env_remove(name);
        }
        succeeded(build.current_dir(project::root()));
        target.join("release/photovault")
    });
    Command::new(program)
}

/// Runs a command that must succeed.
pub(crate) fn succeeded(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{said}{}", output.status, String::from_utf8_lossy(&output.stdout));
    output
}

/// Standard output as one JSON value a line.
pub(crate) fn json_lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

/// Stage and state, from an item's ledger.
pub(crate) fn states(item: &Value) -> Vec<(String, String)> {
    let ledger = item["ledger"].as_object().expect("an item has a ledger");
    ledger.iter().map(|(stage, entry)| (stage.clone(), entry["state"].as_str().unwrap_or_default().to_owned())).collect()
}

/// What an owner sees of an item, without what differs from run to run.
pub(crate) fn told(item: &Value) -> String {
    use std::fmt::Write as _;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut out = format!("{} is {}\n", text(&item["name"]), text(&item["status"]));
    for upload in item["uploads"].as_array().into_iter().flatten() {
        writeln!(out, "  upload     {}", text(&upload["key"])).expect("a String takes all");
    }
    let mut states = states(item);
    states.sort_by_key(|(stage, _)| photovault_domain::Stage::from_name(stage));
    for (stage, state) in states {
        let reason = item["ledger"][&stage]["reason"].as_str().map(|reason| format!(": {reason}")).unwrap_or_default();
        writeln!(out, "  {stage:<10} {state}{reason}").expect("a String takes all");
    }
    for file in item["derivatives"]["files"].as_array().into_iter().flatten() {
        let mime = text(&file["mime"]);
        let kind = mime.strip_prefix("image/").unwrap_or(&mime);
        writeln!(out, "  {:<10} {} x {} {kind}", text(&file["name"]), file["width"], file["height"]).expect("a String takes all");
    }
    out
}

/// The statuses that are an end.
pub(crate) fn is_end(status: &str) -> bool {
    [Status::Ready, Status::Rejected, Status::Quarantined, Status::Failed].map(Status::as_str).contains(&status)
}
