//! What a recogniser saw: in `photovault show`, and `photovault find`.

use photovault_domain::{LabelKind, Media, Tags};

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
    let shows = |media: &Media| media.tags.as_ref().is_some_and(|tags| arguments.labels.iter().all(|label| tags.has(label)));
    let mut items = all(&vault, &arguments.vault.user, shows).await?;
    items.sort_by(|one, other| one.taken().at.cmp(&other.taken().at).then_with(|| one.id.cmp(&other.id)));
    if arguments.vault.json {
        print_json(&items);
        return Ok(());
    }
    if items.is_empty() {
        eprintln!("Nothing is tagged so. `photovault show MEDIA` says what was seen on a photo, or why nobody looked.");
        return Ok(());
    }
    let mut table = Table::new(&["media", "captured", "name", "shows"]);
    for media in &items {
        let captured = media.facts.as_ref().and_then(|facts| facts.captured.as_ref());
        let names = media.tags.iter().flat_map(|tags| &tags.labels).map(|label| label.name.as_str());
        table.row(vec![
            short(media),
            captured.map(|captured| captured.local.replace('T', " ")).unwrap_or_default(),
            media.name().to_owned(),
            names.take(6).collect::<Vec<_>>().join(", "),
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
    let seen_by = match &tags.inherited {
        Some(source) => format!("{}, on {source} of the same burst", tags.model),
        None => tags.model.clone(),
    };
    let faces = tags.faces.as_ref().map(|faces| format!("{} found", faces.len()));
    vec![
        ("things", of_kind(LabelKind::Thing)),
        ("scenes", of_kind(LabelKind::Scene)),
        ("activities", of_kind(LabelKind::Activity)),
        ("faces", faces.unwrap_or_default()),
        ("seen by", seen_by),
    ]
}

#[cfg(test)]
mod tests {
    use photovault_domain::{Area, Face, Label};

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
        let known = Tags { labels, faces: Some(vec![Face::default()]), model: "3.0".into(), inherited: None };
        let lines = [
            "things      2× Dog 98 %",
            "scenes      Beach 98 %",
            "activities  Running 98 %",
            "faces       1 found",
            "seen by     3.0",
        ];
        assert_eq!(written(&tags(&known), "").lines().collect::<Vec<_>>(), lines);
    }
}
