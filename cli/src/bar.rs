//! Progress on standard error, where that is a terminal: a bar, unless JSON is asked for, or a line for what has no count.

use std::{future::pending, pin::pin, time::Duration};

use futures::future::{Either, select};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};

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

/// Waits for what looks through a library. After a second a line on standard error says so, and for how long by now.
pub(crate) async fn waiting<T>(future: impl Future<Output = T>) -> T {
    let told = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let style =
            ProgressStyle::with_template("{spinner} looking through the library  {elapsed}").expect("the template is ours");
        let bar = ProgressBar::new_spinner().with_style(style).with_finish(ProgressFinish::AndClear);
        bar.enable_steady_tick(Duration::from_millis(100));
        pending::<()>().await;
    };
    match select(pin!(future), pin!(told)).await {
        Either::Left((done, _)) => done,
        Either::Right(((), _)) => unreachable!("it tells until the other has ended"),
    }
}
