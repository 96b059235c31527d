//! The bootstrap of `health`.

fn main() -> anyhow::Result<()> {
    photovault_health::run()
}
