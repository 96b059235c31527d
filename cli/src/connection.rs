//! Finds the vault: the engine that keeps a data folder, or a deployment on AWS named by the environment.

use std::{collections::BTreeMap, net::TcpStream, path::Path, time::Duration};

use anyhow::{Context as _, bail};
use photovault_aws::{Connection, Endpoint, Reach, connect};
use photovault_domain::{Recognising, Rendition, Sought};
use photovault_vault::{Names, Post, Secret, Vault};
use serde::Deserialize;

use crate::arguments::{ChoiceArguments, VaultArguments};

/// A vault that answers.
pub(crate) struct Reached {
    /// Its verbs.
    pub(crate) vault: Vault,
    /// Its seams, and uploads that stream from files.
    pub(crate) connection: Connection,
    /// The engine, where it is one.
    pub(crate) engine: Option<EngineFile>,
}

/// What a running engine writes to `<data>/engine.json`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct EngineFile {
    pub(crate) endpoint: String,
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
    pub(crate) region: String,
    pub(crate) uploads_bucket: String,
    pub(crate) vault_bucket: String,
    #[serde(default)]
    pub(crate) backup_bucket: String,
    #[serde(default)]
    pub(crate) backup_key: String,
    pub(crate) table: String,
    /// Queue URLs by stage.
    #[serde(default)]
    pub(crate) queues: BTreeMap<String, String>,
    /// What its functions are told of what they make, by variable.
    #[serde(default)]
    pub(crate) choices: BTreeMap<String, String>,
}

/// Connects to the vault that the arguments name.
pub(crate) async fn reach(arguments: &VaultArguments) -> anyhow::Result<Reached> {
    if let Some(engine) = engine_file(&arguments.data)? {
        if !answers(&engine.endpoint) {
            bail!(not_running(&arguments.data));
        }
        return reach_engine(engine, arguments).await;
    }
    let deployment = &arguments.deployment;
    let (Some(table), Some(uploads_bucket), Some(vault_bucket)) =
        (&deployment.table, &deployment.uploads_bucket, &deployment.vault_bucket)
    else {
        bail!(
            "{}\n(For a vault on AWS set TABLE, UPLOADS_BUCKET and VAULT_BUCKET, and your AWS_* variables.)",
            not_running(&arguments.data)
        );
    };
    let buckets = [uploads_bucket, vault_bucket, deployment.backup_bucket.as_deref().unwrap_or_default()];
    let backup_key = deployment.backup_key.as_deref().unwrap_or_default();
    let names = names(arguments, buckets, backup_key, deployment.queues(), &arguments.choices)?;
    let connection = connect(Reach::Environment, table).await;
    Ok(Reached { vault: Vault::new(connection.seams.clone(), names), connection, engine: None })
}

/// The engine's file; `None` if no engine was ever started on that folder.
pub(crate) fn engine_file(data: &Path) -> anyhow::Result<Option<EngineFile>> {
    let path = data.join("engine.json");
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    let understood = serde_json::from_slice(&text);
    understood
        .map(Some)
        .with_context(|| format!("{} was not written by this version: start `photovault up` again", path.display()))
}

/// What to say when nobody answers.
pub(crate) fn not_running(data: &Path) -> String {
    format!("no engine is running on {0}: start it with `photovault up --data {0}`", data.display())
}

/// ` --data DIR`, to be added to a command that is shown; nothing for the default.
pub(crate) fn data_option(data: &Path) -> String {
    if data == Path::new("vault-data") { String::new() } else { format!(" --data {}", data.display()) }
}

/// Whether something listens at `http://host:port`.
pub(crate) fn answers(endpoint: &str) -> bool {
    let address = endpoint.trim_start_matches("http://").trim_end_matches('/');
    address.parse().is_ok_and(|address| TcpStream::connect_timeout(&address, Duration::from_secs(2)).is_ok())
}

async fn reach_engine(engine: EngineFile, arguments: &VaultArguments) -> anyhow::Result<Reached> {
    let endpoint = Endpoint {
        url: engine.endpoint.clone(),
        access_key: engine.access_key.clone(),
        secret_key: engine.secret_key.clone(),
        region: engine.region.clone(),
    };
    let connection = connect(Reach::Endpoint(&endpoint), &engine.table).await;
    let choice = |name: &str| engine.choices.get(name).cloned().unwrap_or_default();
    let choices = ChoiceArguments {
        derivatives: choice("DERIVATIVES"),
        rendition: choice("RENDITION"),
        rendition_lines: choice("RENDITION_LINES"),
        rendition_kbps: choice("RENDITION_KBPS"),
        recognition: choice("RECOGNITION"),
        recognition_text: choice("RECOGNITION_TEXT"),
        recognition_moderation: choice("RECOGNITION_MODERATION"),
        mail_from: choice("MAIL_FROM"),
        smtp: choice("SMTP"),
        private_channels: choice("PRIVATE_CHANNELS"),
    };
    let buckets = [&*engine.uploads_bucket, &engine.vault_bucket, &engine.backup_bucket];
    let names = names(arguments, buckets, &engine.backup_key, engine.queues.clone(), &choices)?;
    Ok(Reached { vault: Vault::new(connection.seams.clone(), names), connection, engine: Some(engine) })
}

/// Names and choices as the vault's functions have them: recipes hang on the choices.
fn names(
    arguments: &VaultArguments,
    buckets: [&str; 3],
    backup_key: &str,
    queues: BTreeMap<String, String>,
    choices: &ChoiceArguments,
) -> anyhow::Result<Names> {
    let usual = Rendition::default();
    let number = |text: &str, usual: u32| if text.is_empty() { Ok(usual) } else { text.parse() };
    let when = if choices.rendition.is_empty() { usual.when } else { choices.rendition.parse().context("RENDITION")? };
    let sought = Sought::read(&choices.recognition, &choices.recognition_text, &choices.recognition_moderation);
    let sought = sought.context("RECOGNITION, RECOGNITION_TEXT or RECOGNITION_MODERATION")?;
    let [uploads, vault, backup] = buckets.map(str::to_owned);
    Ok(Names {
        uploads_bucket: uploads,
        vault_bucket: vault,
        backup_bucket: backup,
        backup_key: Secret(backup_key.to_owned()),
        queues,
        topic: None,
        post: Post {
            mail_from: choices.mail_from.clone(),
            smtp: Secret(choices.smtp.clone()),
            private: choices.private_channels == "true",
        },
        owner: arguments.user.clone(),
        scanner: photovault_domain::Scanner::None,
        outputs: choices.derivatives.parse().context("DERIVATIVES")?,
        scanner_max_bytes: 0,
        rendition: Rendition {
            when,
            lines: number(&choices.rendition_lines, usual.lines).context("RENDITION_LINES")?,
            kbps: number(&choices.rendition_kbps, usual.kbps).context("RENDITION_KBPS")?,
        },
        processing: photovault_domain::Processing::default(),
        recognising: Recognising { sought, ..Recognising::default() },
        memory_mb: 0,
    })
}
