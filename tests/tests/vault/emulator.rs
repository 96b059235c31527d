//! A function that was built for Lambda, under AWS's own Runtime Interface Emulator: `scripts/rie.sh` says in what surroundings.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use photovault_tests::{project, template::Template};
use serde_json::Value;

use crate::engine::Engine;

/// How long a function may take to answer: machines that run tests are busy.
const PATIENCE: Duration = Duration::from_mins(4);

/// A running function. Dropped, it is killed.
pub(crate) struct Emulator {
    process: Child,
    address: String,
}

impl Emulator {
    /// Starts the function of this folder name on an engine, with the layer where the template gives it one.
    pub(crate) fn start(built: &Path, function: &str, engine: &Engine) -> Self {
        let [address, runtime_api] = free_addresses();
        let layer = if has_layer(function) { built.join("media") } else { PathBuf::new() };
        let mut command = Command::new(project::root().join("scripts/rie.sh"));
        command.arg(built.join(function)).arg(layer).args([&address, &runtime_api]).envs(environment(engine, function));
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("rie.sh starts");
        let started = Self { process, address };
        let began = Instant::now();
        while TcpStream::connect(&started.address).is_err() {
            assert!(began.elapsed() < PATIENCE, "{function}: the emulator does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        started
    }

    /// Gives it an event and waits for what it answers.
    pub(crate) fn invoke(&self, event: &Value) -> Value {
        let (mut stream, event) = (TcpStream::connect(&self.address).expect("the emulator listens"), event.to_string());
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket has a timeout");
        write!(
            stream,
            "POST /2015-03-31/functions/function/invocations HTTP/1.1\r\nHost: lambda\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{event}",
            event.len()
        )
        .expect("the event is taken");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the emulator answers");
        let body = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer to {event}: {answer:?}")).1;
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // The emulator and its function die with this process, as rie.sh asked the kernel for.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Whether the template puts the media layer under a function.
pub(crate) fn has_layer(function: &str) -> bool {
    let template = Template::load();
    let functions = template.resources("AWS::Serverless::Function");
    let found = functions.iter().find(|it| it.properties["CodeUri"].as_str() == Some(&format!("functions/{function}")));
    found.is_some_and(|it| !it.properties["Layers"].is_null())
}

/// What the template sets, for this engine.
fn environment(engine: &Engine, function: &str) -> Vec<(String, String)> {
    let announced = engine.announced();
    let field = |name: &str| announced[name].as_str().expect("a field of engine.json").to_owned();
    let mut variables: Vec<(String, String)> = [
        ("AWS_LAMBDA_FUNCTION_NAME", format!("photovault-{function}")),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1024".to_owned()),
        ("AWS_ENDPOINT_URL", field("endpoint")),
        ("AWS_ACCESS_KEY_ID", field("access_key")),
        ("AWS_SECRET_ACCESS_KEY", field("secret_key")),
        ("AWS_REGION", field("region")),
        ("TABLE", field("table")),
        ("UPLOADS_BUCKET", field("uploads_bucket")),
        ("VAULT_BUCKET", field("vault_bucket")),
        ("BACKUP_BUCKET", field("backup_bucket")),
        ("BACKUP_KEY", field("backup_key")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    for (stage, url) in announced["queues"].as_object().expect("queues") {
        let url = url.as_str().expect("a URL").to_owned();
        if stage == function {
            variables.push(("QUEUE_SELF".to_owned(), url.clone()));
        }
        variables.push((format!("QUEUE_{}", stage.to_uppercase().replace('-', "_")), url));
    }
    variables
}

/// Both are held until both are known, so that they differ.
fn free_addresses() -> [String; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    listeners.map(|listener| listener.local_addr().expect("a bound address").to_string())
}
