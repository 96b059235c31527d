//! The bootstrap of `notify`.

fn main() -> anyhow::Result<()> {
    photovault_notify::run()
}
