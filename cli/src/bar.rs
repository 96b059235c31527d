//! A progress bar on standard error; nothing where JSON is asked for.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// One bar, or a count where nobody knows of how many.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    /// A bar that says what is counted.
    pub(crate) fn new(what: &'static str, of: Option<u64>, json: bool) -> Self {
        let target = if json { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(of, target).with_message(what);
        let template = if of.is_some() { "{msg}  {bar:36} {pos}/{len}, {eta} left" } else { "{msg}  {pos}, {per_sec}" };
        bar.set_style(ProgressStyle::with_template(template).expect("the template is ours"));
        Self(bar)
    }

    /// So many by now.
    pub(crate) fn at(&self, count: u64) {
        self.0.set_position(count);
    }

    /// It goes.
    pub(crate) fn end(&self) {
        self.0.finish_and_clear();
    }
}
