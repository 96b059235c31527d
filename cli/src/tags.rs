//! What a recogniser saw: in `photovault show`, and `photovault find`.

use photovault_domain::{LabelKind, Media, ModerationLabel, Tags};

use crate::{
    arguments::FindArguments,
    connection::reach,
    find::all,
    list::{print_json, short},
    table::Table,
};

/// `find`.
pub(crate) async fn find(arguments: &FindArguments) -> anyhow::Result<()> {
    let vault = reach(&arguments.vault).await?.vault;
    let has = |tags: &Tags| {
        arguments.labels.iter().all(|label| tags.has(label)) && arguments.text.as_ref().is_none_or(|text| tags.reads(text))
    };
    let shows = |media: &Media| media.tags.as_ref().is_some_and(|tags| has(tags));
    let mut items = all(&vault, &arguments.vault.user, shows).await?;
    items.sort_by(|one, other| one.taken().at.cmp(&other.taken().at).then_with(|| one.id.cmp(&other.id)));
    if arguments.vault.json {
        print_json(&items);
        return Ok(());
    }
    if items.is_empty() {
        eprintln!("Nothing was seen so. `photovault show MEDIA` says what was seen on a photo, or why nobody looked.");
        return Ok(());
    }
    let mut table = Table::new(&["media", "captured", "name", "shows"]);
    for media in &items {
        let captured = media.facts.as_ref().and_then(|facts| facts.captured.as_ref());
        let tags = media.tags.as_deref();
        let names = tags.iter().flat_map(|tags| &tags.labels).map(|label| label.name.as_str());
        table.row(vec![
            short(media),
            captured.map(|captured| captured.local.replace('T', " ")).unwrap_or_default(),
            media.name().to_owned(),
            match (&arguments.text, tags) {
                (Some(_), Some(tags)) => tags.reading(),
                _ => names.take(6).collect::<Vec<_>>().join(", "),
            },
        ]);
    }
    table.print();
    Ok(())
}

/// Tags as lines of name and value; some values are empty.
pub(crate) fn tags(tags: &Tags) -> Vec<(&'static str, String)> {
    let of_kind = |kind: LabelKind| {
        let told = tags.of_kind(kind).map(|label| match label.boxes.len() {
            0 | 1 => format!("{} {} %", label.name, label.confidence),
            count => format!("{count}× {} {} %", label.name, label.confidence),
        });
        told.collect::<Vec<_>>().join(", ")
    };
    let source = tags.inherited.as_ref().map(|source| format!("on {source} of the same burst"));
    let seen_by = [Some(tags.model.clone()).filter(|model| !model.is_empty()), source];
    let moderation = tags.moderation.as_ref().map(|moderation| {
        let found: Vec<String> = moderation.labels.iter().map(moderated).collect();
        let found = if found.is_empty() { "nothing".to_owned() } else { found.join(", ") };
        format!("{found}, by {}", moderation.model)
    });
    let faces = tags.faces.as_ref().map(|faces| format!("{} found", faces.len()));
    vec![
        ("things", of_kind(LabelKind::Thing)),
        ("scenes", of_kind(LabelKind::Scene)),
        ("activities", of_kind(LabelKind::Activity)),
        ("faces", faces.unwrap_or_default()),
        ("reads", tags.reading()),
        ("moderation", moderation.unwrap_or_default()),
        ("seen by", seen_by.into_iter().flatten().collect::<Vec<_>>().join(", ")),
    ]
}

/// Why no memory shows a photo.
pub(crate) fn kept_back(tags: &Tags) -> Option<String> {
    let why = tags.moderation.as_ref()?.keeps_back()?;
    Some(format!("no memory shows it: {}", moderated(why)))
}

/// `Weapons (Violence) 72 %`.
fn moderated(label: &ModerationLabel) -> String {
    let parent = if label.parent.is_empty() { String::new() } else { format!(" ({})", label.parent) };
    format!("{}{parent} {} %", label.name, label.confidence)
}

#[cfg(test)]
mod tests {
    use photovault_domain::{Area, Face, Label, Moderation, Word};

    use super::*;
    use crate::shown::written;

    #[test]
    fn tags_are_told_by_kind() {
        let label = |name: &str, category: &str, boxes: usize| Label {
            name: name.into(),
            confidence: 98,
            categories: vec![category.into()],
            boxes: vec![Area::default(); boxes],
            ..Label::default()
        };
        let labels =
            vec![label("Dog", "Animals and Pets", 2), label("Beach", "Nature and Outdoors", 0), label("Running", "Actions", 0)];
        let word = |text: &str| Word { text: text.into(), ..Word::default() };
        let found = |name: &str, parent: &str| ModerationLabel { name: name.into(), parent: parent.into(), confidence: 72 };
        let known = Tags {
            labels,
            faces: Some(vec![Face::default()]),
            model: "3.0".into(),
            text: Some(vec![word("EXIT"), word("ONLY")]),
            moderation: Some(Moderation {
                labels: vec![found("Weapons", "Violence"), found("Violence", "")],
                model: "7.0".into(),
            }),
            inherited: None,
        };
        let lines = [
            "things      2× Dog 98 %",
            "scenes      Beach 98 %",
            "activities  Running 98 %",
            "faces       1 found",
            "reads       EXIT ONLY",
            "moderation  Weapons (Violence) 72 %, Violence 72 %, by 7.0",
            "seen by     3.0",
        ];
        assert_eq!(written(&tags(&known), "").lines().collect::<Vec<_>>(), lines);
        assert_eq!(kept_back(&known).as_deref(), Some("no memory shows it: Violence 72 %"));
        let harmless = Tags { moderation: Some(Moderation { labels: vec![], model: "7.0".into() }), ..Tags::default() };
        assert_eq!((kept_back(&harmless), written(&tags(&harmless), "")), (None, "moderation  nothing, by 7.0\n".to_owned()));
    }
}
