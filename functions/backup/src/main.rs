//! The bootstrap of `backup`.

fn main() -> anyhow::Result<()> {
    photovault_backup::run()
}
