//! The bootstrap of `video`.

fn main() -> anyhow::Result<()> {
    photovault_video::run()
}
