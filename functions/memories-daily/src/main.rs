//! The bootstrap of `memories-daily`.

fn main() -> anyhow::Result<()> {
    photovault_memories_daily::run()
}
