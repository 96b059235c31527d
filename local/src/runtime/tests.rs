//! Tests against real child processes. The child is this test binary itself: the ignored test [`child`] speaks the Runtime API.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{Function, Settings};
use crate::template::FunctionSpec;

/// The command that makes this binary a function.
pub(crate) fn child_command() -> Vec<String> {
    let program = std::env::current_exe().unwrap();
    let arguments = ["--exact", "runtime::tests::child", "--ignored", "--nocapture", "--test-threads=1"];
    std::iter::once(program.to_string_lossy().into_owned()).chain(arguments.map(str::to_owned)).collect()
}

/// Not a test: what runs inside a child.
#[test]
#[ignore = "run by the other tests as a function"]
fn child() {
    let environment: BTreeMap<String, String> = std::env::vars().collect();
    let Some(address) = environment.get("AWS_LAMBDA_RUNTIME_API") else { return };
    if environment.contains_key("DIE_AT_START") {
        std::process::exit(3);
    }
    loop {
        let (id, event) = request(address, "GET", "invocation/next", "");
        let event: Value = serde_json::from_str(&event).unwrap();
        let answer = match event["Records"].as_array() {
            Some(records) => batch(records, &environment),
            None => single(&event, &environment),
        };
        match answer {
            Ok(answer) => request(address, "POST", &format!("invocation/{id}/response"), &answer.to_string()),
            Err(message) => {
                let document = json!({ "errorType": "Wrong", "errorMessage": message });
                request(address, "POST", &format!("invocation/{id}/error"), &document.to_string())
            }
        };
    }
}

fn single(event: &Value, environment: &BTreeMap<String, String>) -> Result<Value, String> {
    match event["do"].as_str().unwrap_or_default() {
        "error" => return Err("as asked".into()),
        "abort" => std::process::abort(),
        "exit" => std::process::exit(7),
        "hang" => std::thread::sleep(Duration::from_mins(1)),
        "hog" => {
            let mut hoard = Vec::new();
            loop {
                hoard.push(vec![1_u8; 8 << 20]);
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        "print" => println!("a line of the child"),
        _ => {}
    }
    Ok(json!({ "event": event, "environment": environment, "pid": std::process::id() }))
}

/// Writes down each record that it takes; a record says by itself what is to become of it.
fn batch(records: &[Value], environment: &BTreeMap<String, String>) -> Result<Value, String> {
    let mut failures = Vec::new();
    for record in records {
        let sequence = &record["dynamodb"]["SequenceNumber"];
        let (text, id) = match record["body"].as_str() {
            Some(body) => (body, &record["messageId"]),
            None => (record["dynamodb"]["NewImage"]["do"]["S"].as_str().unwrap_or_default(), sequence),
        };
        match text.split(' ').next().unwrap_or_default() {
            "poison" => return Err("poison".into()),
            "crash" => std::process::abort(),
            "fail" => {
                failures.push(json!({ "itemIdentifier": id }));
                if record["body"].is_null() {
                    break;
                }
            }
            _ => {
                let mut seen = std::fs::OpenOptions::new().create(true).append(true).open(&environment["SEEN"]).unwrap();
                writeln!(seen, "{text}").unwrap();
            }
        }
    }
    Ok(json!({ "batchItemFailures": failures }))
}

/// One HTTP exchange; gives the request id and the body.
fn request(address: &str, method: &str, call: &str, body: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(
        stream,
        "{method} /2018-06-01/runtime/{call} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut reader = BufReader::new(stream);
    let (mut id, mut line) = (String::new(), String::new());
    while reader.read_line(&mut line).unwrap() > 2 {
        if let Some(value) = line.strip_prefix("lambda-runtime-aws-request-id: ") {
            value.trim().clone_into(&mut id);
        }
        line.clear();
    }
    let mut body = String::new();
    reader.read_to_string(&mut body).unwrap();
    (id, body)
}

fn function(folder: &tempfile::TempDir, change: impl FnOnce(&mut FunctionSpec)) -> Function {
    let mut spec = FunctionSpec {
        name: "work".into(),
        logical_id: "Work".into(),
        function_name: "photovault-work".into(),
        arn: "arn:aws:lambda:us-east-1:000000000000:function:photovault-work".into(),
        timeout_s: 5,
        memory_mb: 512,
        environment: [("OWN".to_owned(), "value".to_owned())].into(),
        events: Vec::new(),
    };
    change(&mut spec);
    let settings = Settings::new(child_command(), "http://127.0.0.1:9".into(), 2, folder.path().to_owned()).unwrap();
    Function::new(spec, Arc::new(settings))
}

async fn outcome(function: &Function, what: &str) -> Result<Value, String> {
    let result = function.invoke(json!({ "do": what }).to_string()).await;
    result.outcome.map(|it| serde_json::from_slice(&it).unwrap()).map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_warm_child_answers_and_knows_its_environment_only() {
    let folder = tempfile::tempdir().unwrap();
    let function = function(&folder, |_| {});
    let first = outcome(&function, "answer").await.unwrap();
    let second = outcome(&function, "print").await.unwrap();
    assert_eq!(first["pid"], second["pid"]);
    let environment = first["environment"].as_object().unwrap();
    assert_eq!(environment["OWN"], "value");
    assert_eq!(environment["AWS_LAMBDA_FUNCTION_NAME"], "photovault-work");
    assert_eq!(environment["AWS_ENDPOINT_URL"], "http://127.0.0.1:9");
    let strangers: Vec<_> = environment.keys().filter(|it| it.starts_with("CARGO") || it.starts_with("PHOTOVAULT")).collect();
    assert!(strangers.is_empty(), "{strangers:?}");
    let health = function.health();
    assert_eq!((health.starts, health.deaths, health.invocations, health.idle.len()), (1, 0, 2, 1));
    function.close().await;
    let printed = std::fs::read_to_string(folder.path().join("work.log")).unwrap();
    assert!(printed.contains("a line of the child"), "{printed}");
    assert!(outcome(&function, "answer").await.unwrap_err().contains("ending"));
}

#[tokio::test]
async fn a_handlers_error_leaves_the_child_alive() {
    let folder = tempfile::tempdir().unwrap();
    let function = function(&folder, |_| {});
    assert_eq!(outcome(&function, "error").await.unwrap_err(), "Wrong: as asked");
    assert!(outcome(&function, "answer").await.is_ok());
    let health = function.health();
    assert_eq!((health.starts, health.deaths, health.errors), (1, 0, 1));
}

#[tokio::test]
async fn dead_children_are_counted_named_and_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let function = function(&folder, |_| {});
    for (what, expected) in
        [("abort", "Runtime exited with error: signal: aborted"), ("exit", "Runtime exited with error: exit status 7")]
    {
        let error = outcome(&function, what).await.unwrap_err();
        assert!(error.contains(expected), "{error}");
        assert!(outcome(&function, "answer").await.is_ok());
    }
    let health = function.health();
    assert_eq!((health.starts, health.deaths), (3, 2));
}

#[tokio::test]
async fn time_and_memory_end_at_the_templates_limits() {
    let folder = tempfile::tempdir().unwrap();
    let slow = function(&folder, |spec| spec.timeout_s = 1);
    let started = Instant::now();
    let error = outcome(&slow, "hang").await.unwrap_err();
    assert!(error.contains("Task timed out after 1 seconds"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(5));
    let large = function(&folder, |spec| spec.memory_mb = 128);
    let error = outcome(&large, "hog").await.unwrap_err();
    assert!(error.contains("out of memory (limit 128 MB)"), "{error}");
    assert_eq!((slow.health().deaths, large.health().deaths), (1, 1));
}

#[tokio::test]
async fn a_child_that_cannot_start_is_an_error_and_not_a_wait() {
    let folder = tempfile::tempdir().unwrap();
    let dying = function(&folder, |spec| drop(spec.environment.insert("DIE_AT_START".into(), "1".into())));
    let error = outcome(&dying, "answer").await.unwrap_err();
    assert!(error.contains("exit status 3"), "{error}");
    let settings = Settings::new(vec!["/no/such/program".into()], String::new(), 1, folder.path().to_owned()).unwrap();
    let missing = Function::new(dying.spec.clone(), Arc::new(settings));
    let error = outcome(&missing, "answer").await.unwrap_err();
    assert!(error.contains("/no/such/program"), "{error}");
}

#[tokio::test]
async fn as_many_children_as_workers_and_idle_ones_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = Settings::new(child_command(), String::new(), 2, folder.path().to_owned()).unwrap();
    settings.idle = Duration::ZERO;
    let function = Function::new(function(&folder, |_| {}).spec, Arc::new(settings));
    let outcomes = futures::future::join_all((0..6).map(|_| outcome(&function, "answer"))).await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert!(function.health().starts <= 2);
    function.sweep();
    assert!(function.health().idle.is_empty());
}
