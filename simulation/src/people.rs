//! People at a command line: they try again what has failed, and redrive dead letters, by the vault's own verbs.

use futures::future::BoxFuture;
use photovault_domain::{Letter, Media, STAGES, Status, Taken, UtcMs};
use photovault_vault::{Change, Vault, redrive_stream};

use crate::history::{End, History, Running, Work};

/// How long somebody waits for a command to end.
const PATIENCE_S: u32 = 600;
/// Letters that are read at once.
const PAGE: u32 = 100;

impl History {
    /// Somebody tries again whatever has failed; some redrive the letters instead.
    pub(crate) fn retry_failed(&mut self) {
        let retries = self.random.per_mille(500);
        let failed = self.promises.items().filter(|media| media.status() == Status::Failed);
        let failed: Vec<_> = failed.cloned().collect();
        // Uploads are redriven when the dust has settled, as an operator would: see `redrive_all`.
        let stages = |media: &photovault_domain::Media| {
            let failed = media.failed_stages();
            failed.into_iter().filter(|stage| *stage != photovault_domain::Stage::Validate).collect::<Vec<_>>()
        };
        let wanted: Vec<_> =
            failed.iter().flat_map(|media| stages(media).into_iter().map(|stage| (media.clone(), stage))).collect();
        if !self.promises.truth.given_up.is_empty() {
            self.redrive_stream(true);
        }
        if wanted.is_empty() {
            return;
        }
        self.person("tries again what has failed", true, move |vault| {
            Box::pin(async move {
                for (media, stage) in wanted {
                    if retries {
                        vault.letters.retry(&media, stage).await?;
                    } else {
                        for letter in vault.letters.of_item(stage, &media.id).await? {
                            vault.letters.redrive(&letter).await?;
                        }
                    }
                }
                Ok(())
            })
        });
    }

    /// Somebody says that an item was taken at another time: that of some other item, or a little later.
    pub(crate) fn correct_time(&mut self) {
        let items: Vec<_> = self.promises.items().filter(|media| media.facts.is_some()).cloned().collect();
        if items.is_empty() {
            return;
        }
        let mut pick = || items[self.random.below(items.len() as u64) as usize].clone();
        let (media, other) = (pick(), pick());
        let taken = Taken { at: UtcMs(other.taken().at.0 + self.random.below(3) as i64 * 3_600_000), ..other.taken() };
        self.person("corrects a time", true, move |vault| {
            Box::pin(async move {
                let correct = |item: Option<Media>| match item {
                    Some(mut media) => {
                        if media.move_to(Some(taken)) {
                            Change::Put(media)
                        } else {
                            Change::Leave
                        }
                    }
                    None => Change::Leave,
                };
                vault.catalog.change(&media.user, &media.id, correct).await?;
                Ok(())
            })
        });
    }

    /// Somebody puts an item in the trash.
    pub(crate) fn put_in_trash(&mut self) {
        let items: Vec<_> = self.promises.items().cloned().collect();
        if items.is_empty() {
            return;
        }
        let media = items[self.random.below(items.len() as u64) as usize].clone();
        self.person("puts an item away", true, move |vault| {
            Box::pin(async move { photovault_memories::put_in_trash(&vault, &media.user, &media.id).await.map(|_| ()) })
        });
    }

    /// Somebody takes everything out of the trash.
    pub(crate) fn restore(&mut self) {
        let trash: Vec<_> = self.promises.items().filter(|media| media.trashed.is_some()).cloned().collect();
        self.person("takes everything out of the trash", true, move |vault| {
            Box::pin(async move {
                for media in trash {
                    photovault_memories::restore(&vault, &media.user, &media.id).await?;
                }
                Ok(())
            })
        });
    }

    /// Somebody redrives every letter.
    pub(crate) fn redrive_all(&mut self) {
        self.person("redrives every letter", false, |vault| {
            Box::pin(async move {
                for stage in STAGES.iter().map(|spec| spec.stage.name()) {
                    for letter in letters(&vault, stage).await? {
                        vault.letters.redrive(&letter).await?;
                    }
                }
                Ok(())
            })
        });
    }

    /// Somebody redrives the dispatcher's letters: they say which records were given up, not what to send.
    pub(crate) fn redrive_stream(&mut self, faulty: bool) {
        self.person("redrives the stream", faulty, |vault| {
            Box::pin(async move {
                let given_up = letters(&vault, "dispatch").await?;
                redrive_stream(&vault, &given_up).await?;
                Ok(())
            })
        });
    }

    fn person<F>(&mut self, what: &'static str, faulty: bool, command: F)
    where
        F: FnOnce(Vault) -> BoxFuture<'static, anyhow::Result<()>>,
    {
        let key = self.random.bits();
        self.start(key, faulty, PATIENCE_S, |history, task| {
            history.tell(|| format!("task {task} is somebody who {what}"));
            let command = command(history.simulation.vault(task));
            let future = Box::pin(async move {
                // A command that fails says so and is over; whoever gave it sees what is left.
                let _ = command.await;
                End::Alone
            });
            Running { future, work: Work::Person }
        });
    }
}

async fn letters(vault: &Vault, stage: &str) -> anyhow::Result<Vec<Letter>> {
    let (mut found, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = vault.letters.list(stage, after.as_deref(), PAGE).await?;
        found.extend(page.items);
        after = page.next;
        if after.is_none() {
            return Ok(found);
        }
    }
}
