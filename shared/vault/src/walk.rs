//! Walks over items: of every user, page by page, to be left and gone on with; and over all of one user. Never a scan.

use futures::{StreamExt, TryStreamExt as _, stream};
use photovault_domain::{Media, UserId};

use crate::{Page, Vault, seams::SeamResult};

/// Keys that one request lists to find the next user by.
const KEYS: u32 = 100;
/// Items that one request lists where all of a user's are looked at.
const PAGE: u32 = 200;
/// What ids begin with. They are hashes, so each has as many.
const FIRST_DIGITS: [&str; 16] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c", "d", "e", "f"];

impl Vault {
    /// Comes past every item of a user, those in the trash too, in no order: a sixteenth of them beside the others. Looks through the library, as
    /// only a command may.
    pub async fn each_item(&self, user: &UserId, mut each: impl FnMut(Media)) -> SeamResult<()> {
        let pages = |first: &'static str| {
            stream::try_unfold(Some(None::<String>), move |after| async move {
                let Some(after) = after else { return Ok(None) };
                let page = self.catalog.list(user, first, after.as_deref(), PAGE).await?;
                Ok(Some((page.items, page.next.map(Some))))
            })
        };
        let mut pages = stream::select_all(FIRST_DIGITS.map(pages).map(StreamExt::boxed));
        while let Some(items) = pages.try_next().await? {
            items.into_iter().for_each(&mut each);
        }
        Ok(())
    }

    /// A page of one user's items, and behind the last one the next user; `after` is the `next` of the page before.
    pub async fn items_after(&self, after: Option<&str>, limit: u32) -> SeamResult<Page<Media>> {
        let begun = after.and_then(|place| place.split_once('/'));
        let begun = begun.and_then(|(user, after)| Some((user.parse::<UserId>().ok()?, after)));
        let (user, after) = match begun {
            Some((user, after)) => (user, Some(after).filter(|after| !after.is_empty())),
            None => match self.next_user(None).await? {
                Some(user) => (user, None),
                None => return Ok(Page { items: Vec::new(), next: None }),
            },
        };
        let page = self.catalog.list(&user, "", after, limit).await?;
        let next = match page.next {
            Some(after) => Some(format!("{user}/{after}")),
            None => self.next_user(Some(&user)).await?.map(|user| format!("{user}/")),
        };
        Ok(Page { items: page.items, next })
    }

    /// The next user who has anything in the vault bucket: found by stepping over all keys of the one before.
    pub async fn next_user(&self, before: Option<&UserId>) -> SeamResult<Option<UserId>> {
        let mut nearest: Option<UserId> = None;
        for prefix in ["derivatives/", "originals/", "quarantine/"] {
            // '0' is the character behind '/'.
            let mut after = before.map(|user| format!("/{prefix}{user}0"));
            // Of a page with nothing but delete markers no version is left.
            let user = loop {
                let page = self.originals.kept_after(prefix, after.as_deref(), KEYS).await?;
                let first = page.items.first().map(|listed| listed.key.clone());
                if first.is_some() || page.next.is_none() {
                    break first.and_then(|key| key.strip_prefix(prefix)?.split('/').next()?.parse().ok());
                }
                after = page.next;
            };
            nearest = [nearest, user].into_iter().flatten().min_by_key(|user: &UserId| format!("{user}/"));
        }
        Ok(nearest)
    }
}
