//! The bootstrap of `analytics`.

fn main() -> anyhow::Result<()> {
    photovault_analytics::run()
}
