//! The bootstrap of `memories`.

fn main() -> anyhow::Result<()> {
    photovault_memories::run()
}
