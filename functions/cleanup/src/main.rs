//! The bootstrap of `cleanup`.

fn main() -> anyhow::Result<()> {
    photovault_cleanup::run()
}
