//! Aligned tables on standard output, coloured only on a terminal, and the words that cells are written in.

use std::{fmt::Write as _, io::IsTerminal as _};

use photovault_domain::UtcMs;
use time::OffsetDateTime;

/// Rows under a header, as wide as their widest cell.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table.
    pub(crate) fn new(header: &[&str]) -> Self {
        Self { rows: vec![header.iter().map(ToString::to_string).collect()] }
    }

    /// Adds a line; as many cells as the header has.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// Prints it.
    pub(crate) fn print(&self) {
        print!("{}", self.render(std::io::stdout().is_terminal()));
    }

    /// The table as text.
    pub(crate) fn render(&self, coloured: bool) -> String {
        let columns = self.rows[0].len();
        let width = |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for (number, row) in self.rows.iter().enumerate() {
            for (column, cell) in row.iter().enumerate() {
                let gap = if column + 1 == columns { 0 } else { widths[column] - cell.chars().count() + 2 };
                let colour = if number == 0 { Some("1") } else { colour(cell) };
                match colour.filter(|_| coloured) {
                    Some(code) => _ = write!(text, "\x1b[{code}m{cell}\x1b[0m"),
                    None => text.push_str(cell),
                }
                text.extend(std::iter::repeat_n(' ', gap));
            }
            text.truncate(text.trim_end_matches(' ').len());
            text.push('\n');
        }
        text
    }
}

fn colour(cell: &str) -> Option<&'static str> {
    match cell {
        "ready" | "done" => Some("32"),
        "processing" | "pending" | "running" => Some("36"),
        "rejected" | "quarantined" => Some("33"),
        "failed" => Some("31"),
        _ => None,
    }
}

/// `2026-11-23 11:32:05` (UTC).
pub(crate) fn when(at: UtcMs) -> String {
    let format = time::macros::format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    OffsetDateTime::from_unix_timestamp(at.0.div_euclid(1000))
        .ok()
        .and_then(|at| at.format(format).ok())
        .unwrap_or_else(|| format!("{} ms", at.0))
}

/// `1 photo`, `2 photos`, of a noun whose plural has an s.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// `840 B`, `12.3 kB`, `4.1 MB`.
pub(crate) fn bytes(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{:.1} kB", count as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", count as f64 / 1e6),
        _ => format!("{:.2} GB", count as f64 / 1e9),
    }
}

/// `85 ms`, `1.4 s`, `2 min 5 s`.
pub(crate) fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{:.1} s", ms as f64 / 1e3),
        _ => format!("{} min {} s", ms / 60_000, ms / 1000 % 60),
    }
}

/// `$0.0000021`: millionths of a dollar, as they are.
pub(crate) fn cost(microusd: f64) -> String {
    format!("${:.7}", microusd / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_nothing_trails() {
        let mut table = Table::new(&["name", "status", "why"]);
        table.row(vec!["ünï.jpg".into(), "ready".into(), String::new()]);
        table.row(vec!["a-long-name.jpg".into(), "failed".into(), "the disk is full".into()]);
        let want = "name             status  why\nünï.jpg          ready\na-long-name.jpg  failed  the disk is full\n";
        assert_eq!(table.render(false), want);
        let plain =
            table.render(true).replace("\x1b[1m", "").replace("\x1b[0m", "").replace("\x1b[32m", "").replace("\x1b[31m", "");
        assert_eq!(plain, want, "colour changes no column");
    }

    #[test]
    fn quantities_have_their_units() {
        assert_eq!([bytes(840), bytes(12_345), bytes(4_100_000)], ["840 B", "12.3 kB", "4.1 MB"]);
        assert_eq!([duration(85), duration(1_400), duration(125_000)], ["85 ms", "1.4 s", "2 min 5 s"]);
        assert_eq!(when(UtcMs(1_795_433_525_000)), "2026-11-23 11:32:05");
        assert_eq!([0, 1, 2].map(|count| counted(count, "photo")), ["0 photos", "1 photo", "2 photos"]);
        assert_eq!(cost(2.1), "$0.0000021");
    }
}
