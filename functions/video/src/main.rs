//! The bootstrap of `video`; with `--worker`, what works on long videos in a container without a time limit.

fn main() -> anyhow::Result<()> {
    if std::env::args().nth(1).as_deref() == Some("--worker") { photovault_video::worker::run() } else { photovault_video::run() }
}
