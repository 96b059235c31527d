//! What a vault on AWS is called, from the environment.

use std::collections::BTreeMap;

use clap::Args;
use photovault_domain::Stage;
use photovault_vault::{SLOW_QUEUE, START_QUEUE};

/// What a deployment on AWS calls its things. `template.yaml` gives the functions the same variables.
#[derive(Args, Clone, Debug)]
pub(crate) struct DeploymentArguments {
    #[arg(long, env = "TABLE", hide = true, global = true)]
    pub(crate) table: Option<String>,
    #[arg(long, env = "UPLOADS_BUCKET", hide = true, global = true)]
    pub(crate) uploads_bucket: Option<String>,
    #[arg(long, env = "VAULT_BUCKET", hide = true, global = true)]
    pub(crate) vault_bucket: Option<String>,
    #[arg(long, env = "BACKUP_BUCKET", hide = true, global = true)]
    pub(crate) backup_bucket: Option<String>,
    #[arg(long, env = "BACKUP_KEY", hide = true, global = true, hide_env_values = true)]
    pub(crate) backup_key: Option<String>,
    #[arg(long, env = "QUEUE_VALIDATE", hide = true, global = true)]
    pub(crate) queue_validate: Option<String>,
    #[arg(long, env = "QUEUE_THUMBNAIL", hide = true, global = true)]
    pub(crate) queue_thumbnail: Option<String>,
    #[arg(long, env = "QUEUE_METADATA", hide = true, global = true)]
    pub(crate) queue_metadata: Option<String>,
    #[arg(long, env = "QUEUE_VIDEO", hide = true, global = true)]
    pub(crate) queue_video: Option<String>,
    #[arg(long, env = "QUEUE_VIDEO_SLOW", hide = true, global = true)]
    pub(crate) queue_video_slow: Option<String>,
    #[arg(long, env = "QUEUE_VIDEO_START", hide = true, global = true)]
    pub(crate) queue_video_start: Option<String>,
    #[arg(long, env = "QUEUE_MEMORIES", hide = true, global = true)]
    pub(crate) queue_memories: Option<String>,
    #[arg(long, env = "QUEUE_TAG", hide = true, global = true)]
    pub(crate) queue_tag: Option<String>,
    #[arg(long, env = "QUEUE_NOTIFY", hide = true, global = true)]
    pub(crate) queue_notify: Option<String>,
}

impl DeploymentArguments {
    /// The stages' queues that are known.
    pub(crate) fn queues(&self) -> BTreeMap<String, String> {
        let known = [
            (Stage::Validate.name(), &self.queue_validate),
            (Stage::Thumbnail.name(), &self.queue_thumbnail),
            (Stage::Metadata.name(), &self.queue_metadata),
            (Stage::Video.name(), &self.queue_video),
            (SLOW_QUEUE, &self.queue_video_slow),
            (START_QUEUE, &self.queue_video_start),
            (Stage::Memories.name(), &self.queue_memories),
            (Stage::Tag.name(), &self.queue_tag),
            (Stage::Notify.name(), &self.queue_notify),
        ];
        known.into_iter().filter_map(|(name, url)| Some((name.to_owned(), url.clone()?))).collect()
    }
}
