//! `photovault show` and `photovault get`: one item, all of it.

use anyhow::{Context as _, bail};
use futures::TryStreamExt as _;
use photovault_domain::{Colour, Entry, Hdr, Look, Media, Status, UtcMs, Video};
use photovault_insight::zone;
use photovault_vault::{Vault, seams::ObjectAt};
use tokio::io::AsyncWriteExt as _;

use crate::{
    arguments::{GetArguments, ShowArguments},
    connection::reach,
    find::find,
    list::{item_json, pixels},
    shown::{facts, written},
    table::{Table, bytes, cost, duration, when},
    tags::{kept_back, tags},
};

/// How far two zones can be apart: a floating time stands in the timeline as if it were UTC.
const FARTHEST_ZONES_S: i64 = 14 * 3600;
/// Places of the timeline that are looked at for one photo.
const NEAR: u32 = 1000;
/// Items that are read of these: the nearest on the camera's clock.
const NEAREST: usize = 24;

/// `show`.
pub(crate) async fn run(arguments: &ShowArguments) -> anyhow::Result<()> {
    let vault = reach(&arguments.vault).await?.vault;
    let media = find(&vault, &arguments.vault.user, &arguments.media).await?;
    let time_zone = neighbours_offset(&vault, &media).await?;
    let kept_back = media.tags.as_deref().filter(|_| vault.names.recognising.sought.moderation).and_then(kept_back);
    if arguments.vault.json {
        let mut shown = item_json(&media);
        shown["time_zone"] = serde_json::json!(time_zone);
        shown["kept_back"] = serde_json::json!(kept_back);
        println!("{shown}");
        return Ok(());
    }
    print!("{}", page(&media));
    let lines = [("kept back", kept_back.unwrap_or_default()), ("time zone", time_zone.unwrap_or_default())];
    print!("{}", written(&lines, ""));
    println!("\nWhat happened (UTC):");
    ledger(&media).print();
    match media.status() {
        Status::Failed => println!("\nTry it again: photovault retry {}", media.id),
        Status::Ready if media.derivatives.is_some() => println!("\nSee it: photovault get {} -o photo.jpg", media.id),
        _ => {}
    }
    Ok(())
}

/// `get`.
pub(crate) async fn fetch(arguments: &GetArguments) -> anyhow::Result<()> {
    let reached = reach(&arguments.vault).await?;
    let media = find(&reached.vault, &arguments.vault.user, &arguments.media).await?;
    let key = key_of(&media, &arguments.size)?;
    let at = ObjectAt { bucket: reached.vault.names.vault_bucket.clone(), key: key.clone(), version: None };
    let opened = reached.connection.seams.objects.open(&at, None).await?;
    let mut body = opened.with_context(|| format!("the catalog names {key}, and the vault bucket does not have it"))?.body;
    let output = arguments.output.display();
    let mut file = tokio::fs::File::create(&arguments.output).await.with_context(|| format!("cannot write {output}"))?;
    let mut size_bytes = 0;
    while let Some(chunk) = body.try_next().await? {
        file.write_all(&chunk).await.with_context(|| format!("cannot write {output}"))?;
        size_bytes += chunk.len() as u64;
    }
    file.flush().await.with_context(|| format!("cannot write {output}"))?;
    if arguments.vault.json {
        println!("{}", serde_json::json!({"media": media.id, "key": key, "file": arguments.output, "size_bytes": size_bytes}));
    } else {
        println!("{output}: {} of {}", bytes(size_bytes), media.name());
    }
    Ok(())
}

fn key_of(media: &Media, size: &str) -> anyhow::Result<String> {
    if size == "original" {
        return media.object.clone().with_context(|| format!("{} was never stored: its upload failed", media.name()));
    }
    let Some(file) = media.files().find(|file| file.name == size) else {
        let why = media.reason().map(|reason| format!(" ({reason})")).unwrap_or_default();
        bail!(
            "{} is {} and has no {size} picture{why}: --size original fetches its bytes",
            media.name(),
            media.status().as_str()
        );
    };
    Ok(file.key.clone())
}

/// All but the ledger.
fn page(media: &Media) -> String {
    let mut lines = vec![
        ("media", media.id.to_string()),
        ("status", media.status().as_str().to_owned()),
        ("why", media.reason().unwrap_or_default().to_owned()),
        ("user", media.user.to_string()),
        ("format", media.format.map(|format| format.mime().to_owned()).unwrap_or_default()),
        ("pixels", pixels(media)),
        ("size", bytes(media.size_bytes)),
        ("sha256", media.sha256.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("stored", media.object.clone().unwrap_or_default()),
        ("virus scan", media.scan.to_string()),
        ("created", format!("{} UTC", when(media.created))),
    ];
    lines.extend(media.uploads.iter().map(|upload| ("upload", format!("{} ({} UTC)", upload.name, when(upload.at)))));
    lines.extend(media.facts.iter().flat_map(|it| facts(it)));
    lines.extend(media.look.iter().flat_map(look));
    lines.extend(media.tags.iter().flat_map(|it| tags(it)));
    lines.extend(media.video.iter().flat_map(|it| video(it)));
    for file in media.files() {
        lines.push((
            "derivative",
            format!("{} {} {}×{} {} {}", file.name, file.mime, file.width, file.height, bytes(file.size_bytes), file.key),
        ));
    }
    written(&lines, "")
}

/// What the same camera's photos around it say of an item that names no time zone. Reads a few of them, however large the vault is.
async fn neighbours_offset(vault: &Vault, media: &Media) -> anyhow::Result<Option<String>> {
    if !zone::asks(media) {
        return Ok(None);
    }
    let at = media.taken().at.0;
    let reach_ms = (zone::REACH_S + FARTHEST_ZONES_S) * 1000;
    let near = vault.timelines.items(&media.user, Some(&UtcMs(at - reach_ms).sort_key()), NEAR).await?.items;
    let mut near: Vec<_> = near.iter().filter(|placed| placed.taken.ahead_min.is_some()).collect();
    near.sort_by_key(|placed| (placed.taken.at.0 + i64::from(placed.taken.ahead_min.unwrap_or(0)) * 60_000 - at).abs());
    let mut others = Vec::new();
    for placed in near.into_iter().take(NEAREST) {
        others.extend(vault.catalog.media(&media.user, &placed.media).await?);
    }
    let told = zone::told_by(media, &others);
    Ok(told.map(|told| format!("{} by the same camera's {}", told.offset, told.by.name())))
}

/// What the picture looks like; its hashes are for machines.
fn look(look: &Look) -> [(&'static str, String); 2] {
    let colour = |Colour { rgb, percent }: &Colour| format!("#{rgb} {percent} %");
    let Look { brightness, contrast, sharpness, dark_percent, bright_percent, .. } = look;
    let tones = format!("brightness {brightness}, contrast {contrast}, {dark_percent} % black, {bright_percent} % burnt out");
    [
        ("colours", look.colours.iter().map(colour).collect::<Vec<_>>().join(", ")),
        ("look", format!("sharpness {sharpness}, {tones}")),
    ]
}

/// What is known of a video, as lines of name and value.
fn video(video: &Video) -> Vec<(&'static str, String)> {
    let picture = &video.picture;
    let held = match (picture.rotation, picture.mirrored) {
        (0, false) => String::new(),
        (rotation, false) => format!(", turned by {rotation}°"),
        (rotation, true) => format!(", mirrored and turned by {rotation}°"),
    };
    let hdr = match picture.hdr {
        Some(Hdr::Pq) => "HDR (PQ)",
        Some(Hdr::Hlg) => "HDR (HLG)",
        None => "",
    };
    let parts = [
        Some([picture.codec.as_str(), picture.profile.as_deref().unwrap_or_default()].join(" ").trim_end().to_owned()),
        Some(format!("{}×{}{held}", picture.width, picture.height)),
        picture.frame_rate.map(|rate| format!("{rate} frames/s{}", if picture.is_variable { ", uneven" } else { "" })),
        Some(format!("{} bits", picture.bits)).filter(|_| picture.bits > 8),
        Some(hdr.to_owned()).filter(|hdr| !hdr.is_empty()),
        picture.dolby_vision.map(|profile| format!("Dolby Vision profile {profile}")),
        picture.bit_rate.map(|rate| format!("{:.1} Mbit/s", rate as f64 / 1e6)),
    ];
    let sound = video.sound.as_ref();
    vec![
        ("duration", if video.duration_ms > 0 { duration(video.duration_ms) } else { "unknown".to_owned() }),
        ("container", video.container.clone()),
        ("picture", parts.into_iter().flatten().collect::<Vec<_>>().join("; ")),
        (
            "sound",
            sound
                .map(|sound| format!("{}; {} channels; {} Hz", sound.codec, sound.channels, sound.sample_rate))
                .unwrap_or_default(),
        ),
        ("content id", video.content_identifier.clone().unwrap_or_default()),
        ("poster", format!("at {}", duration(video.poster_ms))),
    ]
}

pub(crate) fn ledger(media: &Media) -> Table {
    let mut table = Table::new(&["stage", "state", "when", "took", "attempts", "cost", "why"]);
    for (stage, entry) in &media.ledger {
        let ended = entry.finished.is_some();
        table.row(vec![
            stage.name().to_owned(),
            entry.state.as_str().to_owned(),
            entry.finished.or(entry.started).map(when).unwrap_or_default(),
            if ended { duration(entry.took_ms) } else { String::new() },
            entry.attempts.to_string(),
            if ended { cost(entry.cost_microusd) } else { String::new() },
            told(entry),
        ]);
    }
    table
}

/// Why it stands so, or how far it has come.
fn told(entry: &Entry) -> String {
    let progress = entry.progress.map(|progress| format!("{} of {} parts are done", progress.done, progress.of));
    entry.reason.clone().or(progress).unwrap_or_default()
}
