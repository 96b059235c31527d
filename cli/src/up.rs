//! `photovault up`: the laptop engine, until Ctrl-C.

use std::{
    fs::{self, File},
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use photovault_domain::Recognise;
use photovault_local::{Engine, Options};
use photovault_sandbox::{Decoder, Protections};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::{EnvFilter, Layer as _, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::{
    arguments::UpArguments,
    connection::{EngineFile, data_option, engine_file},
};

/// The template that this program was built with: the very one that is deployed.
pub(crate) const TEMPLATE: &str = include_str!("../../template.yaml");

/// `up`.
pub(crate) async fn run(arguments: &UpArguments) -> anyhow::Result<()> {
    let began = Instant::now();
    let logs = arguments.data.join("logs");
    log_to(&logs)?;
    let engine = Engine::start(options(arguments)?).await?;
    let ready = began.elapsed();
    let file = engine_file(&arguments.data)?.context("the engine has not said where it is")?;
    let protections = decoder_protections().await?;
    if arguments.json {
        let mut announcement = announcement(&file, &logs, ready);
        announcement["decoder"] = json!(protections);
        println!("{announcement}");
    } else {
        print!("{}", greeting(&file, &arguments.data, &logs, ready));
        println!("Photos are decoded in a process of their own; {protections}.");
    }
    for option in unanswered(&file) {
        eprintln!("{option}");
    }
    stop_asked().await?;
    eprintln!("Ending: what is at work gets ten seconds; the rest comes back at the next start. Ctrl-C again ends at once.");
    tokio::select! {
        ended = engine.shutdown() => ended,
        asked = stop_asked() => asked,
    }
}

/// What its template asks for and this engine's own recogniser has no model for.
fn unanswered(file: &EngineFile) -> Vec<String> {
    let asked = [
        ("RecognitionText", "RECOGNITION_TEXT", "reads text"),
        ("RecognitionModeration", "RECOGNITION_MODERATION", "tells what is not to be shown unasked"),
    ];
    let is_on = |variable: &str| file.choices.get(variable).is_some_and(|choice| choice == "on");
    let told = |(parameter, _, does): (&str, &str, &str)| {
        format!(
            "The template says {parameter}: on, and this engine has no model that {does}: photos are ready without it, and say so as deferred. \
             Rekognition does it on AWS; here, leave {parameter} off."
        )
    };
    asked.into_iter().filter(|(_, variable, _)| is_on(variable)).map(told).collect()
}

fn options(arguments: &UpArguments) -> anyhow::Result<Options> {
    let template = match &arguments.template {
        Some(path) => fs::read_to_string(path).with_context(|| format!("cannot read the template {}", path.display()))?,
        None => TEMPLATE.to_owned(),
    };
    let mut options = Options::new(&arguments.data, template)?;
    options.address = arguments.address;
    options.peer.clone_from(&arguments.peer);
    if arguments.peer.is_some() {
        // The worker's queue is the engine's own.
        options.parameters.insert("ProcessingMode".to_owned(), "lambda-only".to_owned());
    } else {
        // What the engine looks at itself costs nothing.
        options.parameters.insert("RecognitionImages".to_owned(), u32::MAX.to_string());
    }
    if arguments.recognition == Some(Recognise::People) && arguments.embeddings.is_none() && arguments.peer.is_none() {
        bail!(
            "nobody can be recognised without a model that tells faces apart: give one, as in --embeddings arcface.onnx, or have \
             faces only found, by --recognition faces"
        );
    }
    options.labels.clone_from(&arguments.labels);
    options.embeddings.clone_from(&arguments.embeddings);
    if let Some(workers) = arguments.workers {
        options.workers = workers.max(1);
    }
    let given = [
        ("Scanner", arguments.scanner.clone()),
        ("ScannerMaxMb", arguments.scanner_max_mb.map(|mb| mb.to_string())),
        ("OtlpEndpoint", arguments.otlp.clone()),
        ("MailFrom", arguments.mail.mail_from.clone()),
        ("Smtp", arguments.mail.smtp.clone()),
        ("Recognition", arguments.recognition.map(|what| what.to_string())),
    ];
    options.parameters.extend(given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    Ok(options)
}

/// The engine's own log goes to a file; only what needs a person comes to the terminal.
fn log_to(logs: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(logs).with_context(|| format!("cannot make the folder {}", logs.display()))?;
    let path = logs.join("engine.log");
    let file =
        File::options().create(true).append(true).open(&path).with_context(|| format!("cannot write {}", path.display()))?;
    let written = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(file).with_filter(EnvFilter::new("info"));
    let shown = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_filter(EnvFilter::new("error"));
    tracing_subscriber::registry().with(written).with(shown).try_init().context("the log is already started")
}

/// What holds in the processes that decode photos, tried on this very system.
async fn decoder_protections() -> anyhow::Result<Protections> {
    let tried = tokio::task::spawn_blocking(|| Decoder::start().map(|decoder| decoder.protections().clone())).await?;
    tried.context("no photo could be decoded here")
}

async fn stop_asked() -> anyhow::Result<()> {
    let mut terminated = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    tokio::select! {
        asked = tokio::signal::ctrl_c() => asked.context("cannot listen for Ctrl-C"),
        _ = terminated.recv() => Ok(()),
    }
}

fn announcement(file: &EngineFile, logs: &Path, ready: Duration) -> serde_json::Value {
    json!({
        "endpoint": file.endpoint, "access_key": file.access_key, "secret_key": file.secret_key, "region": file.region,
        "uploads_bucket": file.uploads_bucket, "vault_bucket": file.vault_bucket, "table": file.table, "queues": file.queues,
        "logs": logs, "ready_ms": ready.as_millis() as u64,
    })
}

fn greeting(file: &EngineFile, data: &Path, logs: &Path, ready: Duration) -> String {
    let EngineFile { endpoint, access_key, secret_key, region, uploads_bucket, vault_bucket, table, .. } = file;
    let option = data_option(data);
    format!(
        "PhotoVault is running on {data}: ready in {ready} ms.

  endpoint  {endpoint}
  uploads   s3://{uploads_bucket}
  vault     s3://{vault_bucket}
  catalog   {table}
  logs      {logs}

Any AWS client may use it:
  export AWS_ENDPOINT_URL={endpoint}
  export AWS_ACCESS_KEY_ID={access_key}
  export AWS_SECRET_ACCESS_KEY={secret_key}
  export AWS_REGION={region} AWS_DEFAULT_REGION={region}

Next, in another terminal:
  photovault import PATH…{option}
  aws s3 cp photo.jpg s3://{uploads_bucket}/
  photovault ls{option}

Ctrl-C ends it. What is in flight comes back at the next start.
",
        data = data.display(),
        logs = logs.display(),
        ready = ready.as_millis(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greeting_says_all_that_a_client_needs() {
        let queues = std::collections::BTreeMap::new();
        let text = |name: &str| name.to_owned();
        let file = EngineFile {
            endpoint: text("http://127.0.0.1:4455"),
            access_key: text("AK"),
            secret_key: text("SK"),
            region: text("us-east-1"),
            uploads_bucket: text("uploads"),
            vault_bucket: text("vault"),
            backup_bucket: "b".into(),
            backup_key: "k".into(),
            table: text("catalog"),
            queues,
            choices: std::collections::BTreeMap::new(),
        };
        let text = greeting(&file, Path::new("d"), Path::new("d/logs"), Duration::from_millis(7));
        for part in
            ["AWS_ENDPOINT_URL=http://127.0.0.1:4455", "KEY_ID=AK", "SECRET_ACCESS_KEY=SK", "import PATH… --data d", "d/logs"]
        {
            assert!(text.contains(part), "{part} is missing");
        }
        assert_eq!(announcement(&file, Path::new("d/logs"), Duration::from_millis(7))["ready_ms"], 7);
    }

    #[test]
    fn what_the_engine_cannot_tell_is_said_at_the_start() {
        let file = |choices: &[(&str, &str)]| {
            let choices: serde_json::Map<String, serde_json::Value> =
                choices.iter().map(|(name, choice)| ((*name).to_owned(), json!(choice))).collect();
            let names = ["endpoint", "access_key", "secret_key", "region", "uploads_bucket", "vault_bucket", "table"];
            let mut file: serde_json::Value = names.into_iter().map(|name| (name.to_owned(), json!(""))).collect();
            file["choices"] = choices.into();
            serde_json::from_value::<EngineFile>(file).unwrap()
        };
        assert!(unanswered(&file(&[("RECOGNITION_TEXT", "off"), ("RECOGNITION_MODERATION", "off")])).is_empty());
        let said = unanswered(&file(&[("RECOGNITION_TEXT", "off"), ("RECOGNITION_MODERATION", "on")]));
        assert!(said.len() == 1 && said[0].contains("RecognitionModeration: on"), "{said:?}");
    }
}
