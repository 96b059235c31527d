//! The environment of a function, read once. Every variable that a function heeds stands in [`VARIABLES`].

use std::collections::BTreeMap;

use anyhow::Context as _;
use photovault_domain::{Processing, Recognising, Rendition, STAGES, Sought};
use photovault_vault::{Names, Post, SLOW_QUEUE, START_QUEUE, Secret};

/// One environment variable.
#[derive(Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub meaning: &'static str,
}

/// The variables, in the order of the documentation. `template.yaml` sets them.
pub const VARIABLES: &[Variable] = &[
    Variable { name: "TABLE", meaning: "the catalog's DynamoDB table" },
    Variable { name: "UPLOADS_BUCKET", meaning: "the bucket that people upload to" },
    Variable { name: "VAULT_BUCKET", meaning: "the bucket that the vault keeps" },
    Variable { name: "BACKUP_BUCKET", meaning: "the bucket that backups are in" },
    Variable {
        name: "BACKUP_KEY",
        meaning: "the secret that manifests of backups are signed with, or ssm: and the name of a parameter",
    },
    Variable { name: "OWNER", meaning: "whose the uploads are whose key names no user (default: owner)" },
    Variable { name: "QUEUE_SELF", meaning: "URL of the function's own queue, for the return of failed messages" },
    Variable { name: "QUEUE_<STAGE>", meaning: "URL of a stage's queue, for what sends to it" },
    Variable { name: "TOPIC_ARN", meaning: "the SNS topic of digests; empty: none" },
    Variable { name: "MAIL_FROM", meaning: "whom e-mails to users are from; empty: none are sent" },
    Variable {
        name: "SMTP",
        meaning: "the mail server, smtp://user:password@host:587 or smtps://…, or ssm: and the name of a parameter that says so; empty: Amazon SES",
    },
    Variable {
        name: "PRIVATE_CHANNELS",
        meaning: "true: webhooks and ntfy servers may lie in private networks and be reached without TLS (default: false)",
    },
    Variable {
        name: "SCANNER",
        meaning: "who scans uploads: none (default), clamd:unix:/path, clamd:tcp:host:port or guardduty",
    },
    Variable {
        name: "SCANNER_MAX_MB",
        meaning: "what clamd takes of one file, its MaxFileSize and StreamMaxLength (default: 25)",
    },
    Variable {
        name: "DERIVATIVES",
        meaning: "the kinds of derivatives: jpeg, which is always made, webp and full (default: jpeg,webp,full)",
    },
    Variable {
        name: "RENDITION",
        meaning: "when a video gets a copy for browsers: never, required (default), optimal or always",
    },
    Variable { name: "RENDITION_LINES", meaning: "pixels of that copy's shorter side at most (default: 720)" },
    Variable { name: "RENDITION_KBPS", meaning: "that copy's bit rate at most, in thousands (default: 4000)" },
    Variable {
        name: "PROCESSING_MODE",
        meaning: "who makes what is made of videos: hybrid (default), lambda-only or worker-only",
    },
    Variable { name: "SLOW_FROM", meaning: "seconds of work from which the worker has a video (default: 600)" },
    Variable { name: "SEGMENT_SECONDS", meaning: "seconds of video that the worker encodes at once (default: 30)" },
    Variable { name: "MAX_PROCESSING_TIME", meaning: "seconds that the worker may spend on one video (default: 21600)" },
    Variable { name: "QUEUE_VIDEO_SLOW", meaning: "URL of the worker's queue, for what sends to it and for the worker" },
    Variable {
        name: "QUEUE_VIDEO_START",
        meaning: "URL of the queue whose messages start a worker; empty: nothing is to be told",
    },
    Variable {
        name: "OTEL_EXPORTER_OTLP_ENDPOINT",
        meaning: "an OpenTelemetry collector that takes OTLP over HTTP, such as http://localhost:4318; empty: nobody is told of spans",
    },
    Variable { name: "METRICS", meaning: "emf: what became of messages, as CloudWatch's embedded metrics (default: none)" },
    Variable { name: "RECOGNITION", meaning: "what pictures are looked at for: off (default), labels, faces or people" },
    Variable { name: "RECOGNITION_TEXT", meaning: "on: what can be read on pictures is looked for too (default: off)" },
    Variable {
        name: "RECOGNITION_MODERATION",
        meaning: "on: what is not to be shown unasked is looked for too, and no memory shows it (default: off)",
    },
    Variable {
        name: "RECOGNITION_IMAGES",
        meaning: "pictures that may be looked at in a month, one that is looked at twice counted twice (default: 5000)",
    },
    Variable { name: "RUST_LOG", meaning: "what is logged (default: info)" },
    Variable { name: "AWS_ENDPOINT_URL", meaning: "what stands in for AWS; empty: AWS itself" },
    Variable { name: "AWS_LAMBDA_FUNCTION_NAME", meaning: "set by Lambda; its last part names the stage" },
    Variable {
        name: "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        meaning: "set by Lambda, MB; for the cost estimate; not set: the worker",
    },
];

pub(crate) struct Environment {
    pub(crate) names: Names,
    pub(crate) table: String,
    pub(crate) log: String,
    /// The function's name.
    pub(crate) function: String,
    /// Whether what became of messages is told as metrics.
    pub(crate) metrics: bool,
    /// Who collects spans; empty: nobody.
    pub(crate) collector: String,
    /// Whether AWS is stood in for by an endpoint without TLS.
    pub(crate) plain_http: bool,
}

pub(crate) fn read() -> anyhow::Result<Environment> {
    let function = variable("AWS_LAMBDA_FUNCTION_NAME");
    let own_stage = function.rsplit('-').next().unwrap_or_default();
    let mut queues: BTreeMap<String, String> = STAGES
        .iter()
        .map(|spec| (spec.stage.name().to_owned(), variable(&format!("QUEUE_{}", spec.stage.name().to_uppercase()))))
        .filter(|(_, url)| !url.is_empty())
        .collect();
    for queue in [SLOW_QUEUE, START_QUEUE] {
        let url = variable(&format!("QUEUE_{}", queue.to_uppercase().replace('-', "_")));
        queues.extend((!url.is_empty()).then(|| (queue.to_owned(), url)));
    }
    let own_queue = variable("QUEUE_SELF");
    if !own_queue.is_empty() {
        queues.insert(own_stage.to_owned(), own_queue);
    }
    let names = Names {
        uploads_bucket: variable("UPLOADS_BUCKET"),
        vault_bucket: variable("VAULT_BUCKET"),
        backup_bucket: variable("BACKUP_BUCKET"),
        backup_key: Secret(variable("BACKUP_KEY")),
        queues,
        topic: Some(variable("TOPIC_ARN")).filter(|topic| !topic.is_empty()),
        post: Post {
            mail_from: variable("MAIL_FROM"),
            smtp: Secret(variable("SMTP")),
            private: or(variable("PRIVATE_CHANNELS"), "false").parse().context("PRIVATE_CHANNELS")?,
        },
        owner: or(variable("OWNER"), "owner").parse().context("OWNER")?,
        scanner: variable("SCANNER").parse().context("SCANNER")?,
        scanner_max_bytes: or(variable("SCANNER_MAX_MB"), "25").parse::<u64>().context("SCANNER_MAX_MB")? << 20,
        outputs: variable("DERIVATIVES").parse().context("DERIVATIVES")?,
        rendition: Rendition {
            when: or(variable("RENDITION"), "required").parse().context("RENDITION")?,
            lines: or(variable("RENDITION_LINES"), "720").parse().context("RENDITION_LINES")?,
            kbps: or(variable("RENDITION_KBPS"), "4000").parse().context("RENDITION_KBPS")?,
        },
        processing: Processing {
            mode: or(variable("PROCESSING_MODE"), "hybrid").parse().context("PROCESSING_MODE")?,
            slow_from_s: or(variable("SLOW_FROM"), "600").parse().context("SLOW_FROM")?,
            segment_s: or(variable("SEGMENT_SECONDS"), "30").parse().context("SEGMENT_SECONDS")?,
            most_s: or(variable("MAX_PROCESSING_TIME"), "21600").parse().context("MAX_PROCESSING_TIME")?,
        },
        recognising: Recognising {
            sought: Sought::read(&variable("RECOGNITION"), &variable("RECOGNITION_TEXT"), &variable("RECOGNITION_MODERATION"))
                .context("RECOGNITION, RECOGNITION_TEXT or RECOGNITION_MODERATION")?,
            monthly_images: or(variable("RECOGNITION_IMAGES"), "5000").parse().context("RECOGNITION_IMAGES")?,
        },
        memory_mb: or(variable("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), "0").parse().context("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")?,
    };
    let plain_http = variable("AWS_ENDPOINT_URL").starts_with("http://");
    let metrics = match variable("METRICS").as_str() {
        "" | "none" => false,
        "emf" => true,
        other => anyhow::bail!("METRICS: '{other}' is neither none nor emf"),
    };
    Ok(Environment {
        names,
        table: variable("TABLE"),
        log: or(variable("RUST_LOG"), "info"),
        function,
        metrics,
        collector: variable("OTEL_EXPORTER_OTLP_ENDPOINT"),
        plain_http,
    })
}

fn or(text: String, default: &str) -> String {
    if text.is_empty() { default.to_owned() } else { text }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}
