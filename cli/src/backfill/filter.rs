//! `--where`: which items a backfill is for.

use std::str::FromStr;

use photovault_domain::{Kind, Media, Stage, UtcMs, local_seconds};

/// All that must hold for an item; nothing where nothing was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    /// As it was typed.
    pub(crate) text: String,
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition {
    Kind(Kind),
    Format(String),
    Recipe(String),
    Before(UtcMs),
}

impl Filter {
    /// Whether a backfill of `stage` is for this item.
    pub(crate) fn takes(&self, media: &Media, stage: Stage) -> bool {
        let entry = media.ledger.get(&stage);
        self.conditions.iter().all(|condition| match condition {
            Condition::Kind(kind) => media.kind() == Some(*kind),
            Condition::Format(name) => media.format.is_some_and(|format| format.mime().rsplit('/').next() == Some(name)),
            Condition::Recipe(beginning) => entry.is_some_and(|entry| entry.recipe.to_string().starts_with(beginning)),
            Condition::Before(at) => entry.and_then(|entry| entry.finished).is_some_and(|finished| finished < *at),
        })
    }

    /// Whether it takes every item.
    pub(crate) fn is_empty(&self) -> bool {
        self.conditions.is_empty()
    }
}

impl FromStr for Filter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let conditions = text.split(',').filter(|part| !part.is_empty()).map(condition).collect::<Result<_, _>>()?;
        Ok(Self { text: text.to_owned(), conditions })
    }
}

fn condition(part: &str) -> Result<Condition, String> {
    match part.split_once('=') {
        Some(("kind", "photo")) => Ok(Condition::Kind(Kind::Photo)),
        Some(("kind", "video")) => Ok(Condition::Kind(Kind::Video)),
        Some(("format", name)) if !name.is_empty() => Ok(Condition::Format(name.to_ascii_lowercase())),
        Some(("recipe", beginning)) if !beginning.is_empty() => Ok(Condition::Recipe(beginning.to_ascii_lowercase())),
        Some(("before", day)) => {
            day_begins(day).map(Condition::Before).ok_or_else(|| format!("'{day}' is no day such as 2026-11-01"))
        }
        _ => Err(format!("'{part}' is none of kind=photo, kind=video, format=…, recipe=…, before=YYYY-MM-DD")),
    }
}

fn day_begins(day: &str) -> Option<UtcMs> {
    let looks_right =
        day.len() == 10 && day.char_indices().all(|(at, it)| if at == 4 || at == 7 { it == '-' } else { it.is_ascii_digit() });
    Some(UtcMs(local_seconds(&format!("{day}T00:00:00")).filter(|_| looks_right)? * 1000))
}

#[cfg(test)]
mod tests {
    use photovault_domain::{Entry, Format, MediaId, Sha256};

    use super::*;

    #[test]
    fn an_item_is_taken_where_all_holds() {
        let user: photovault_domain::UserId = "ann".parse().unwrap();
        let id = MediaId::of_bytes(&user, &Sha256::from_digest([1; 32]));
        let mut media = Media { format: Some(Format::Heic), ..Media::new(user, id, UtcMs(0)) };
        let recipe = Stage::Thumbnail.recipe().to_string();
        let finished = Some(UtcMs(1_793_491_200_000 - 1)); // The last millisecond of October 2026.
        media.ledger.insert(Stage::Thumbnail, Entry { finished, ..Entry::pending(Stage::Thumbnail.recipe()) });
        let takes = |text: &str| text.parse::<Filter>().unwrap().takes(&media, Stage::Thumbnail);
        for text in ["", "kind=photo", "format=HEIC,before=2026-11-01", &format!("recipe={}", &recipe[..4])] {
            assert!(takes(text), "{text}");
        }
        for text in ["kind=video", "format=jpeg,kind=photo", "before=2026-10-31", "recipe=zz"] {
            assert!(!takes(text), "{text}");
        }
        for text in ["kind=film", "before=yesterday", "before=2026-1-001", "size=3"] {
            assert!(text.parse::<Filter>().is_err(), "{text}");
        }
    }
}
