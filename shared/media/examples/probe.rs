//! `probe facts FILE…` prints what metadata says, a JSON object a line; `probe derive DIR FILE…` writes derivatives and times.
use std::{fs, io::Cursor, path::Path, time::Instant};

use photovault_media::{derive, facts, inspect};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((verb, files)) if verb == "facts" => {
            files.iter().filter(|file| !file.starts_with("--")).for_each(|file| print_facts(file))
        }
        Some((verb, rest)) if verb == "derive" => rest[1..].iter().for_each(|file| write(Path::new(&rest[0]), file)),
        _ => eprintln!("usage: probe facts FILE… | probe derive DIR FILE…"),
    }
}

fn print_facts(file: &str) {
    let bytes = fs::read(file).expect("the file can be read");
    let Ok(found) = inspect(Cursor::new(&bytes), bytes.len() as u64) else { return };
    let read = facts(&bytes, found.format);
    let mut json = serde_json::to_value(&read.facts).expect("facts are JSON");
    json["path"] = file.into();
    json["mime"] = found.format.mime().into();
    json["width"] = found.width.into();
    json["height"] = found.height.into();
    println!("{json}");
}

fn write(directory: &Path, file: &str) {
    let bytes = fs::read(file).expect("the file can be read");
    let found = match inspect(Cursor::new(&bytes), bytes.len() as u64) {
        Ok(found) => found,
        Err(refused) => return println!("{file}: {:?} {}", refused.refusal, refused.reason),
    };
    let start = Instant::now();
    match derive(&bytes, found.format) {
        Ok(rendered) => {
            let sizes: Vec<_> =
                rendered.files.iter().map(|file| (file.name, file.width, file.height, file.bytes.len())).collect();
            println!("{file}: {:?} {:?} {sizes:?} {:?}", start.elapsed(), found.format, rendered.warnings);
            let stem = file.trim_start_matches('/').replace('/', "_");
            for small in &rendered.files {
                fs::write(directory.join(format!("{stem}.{}.jpg", small.name)), &small.bytes)
                    .expect("the directory can be written to");
            }
        }
        Err(unreadable) => println!("{file}: {:?} unreadable: {}", start.elapsed(), unreadable.reason),
    }
}
