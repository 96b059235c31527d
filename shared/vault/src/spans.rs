//! Spans of one photo's way, for who looks at it from outside (`photovault_lambda` exports them where that is wanted).
//!
//! Their ids follow from the item ([`photovault_domain::TraceId`]) and are fields of the span, known when its item is. A span without them is of
//! no item: a delivery that found nothing to do, and is told of to nobody. They are at level trace under a target of their own, so where
//! nobody exports them they cost a comparison.

use photovault_domain::{Job, Media, SpanId, Stage, TraceId, cause, next_stages};
use tracing::{Span, field::Empty};

/// The target of these spans, and of no others.
pub const SPANS: &str = "photovault::way";

/// A stage's work on one message, which becomes part of a trace by [`belongs`].
pub fn work_span(stage: Stage, attempt: u32) -> Span {
    tracing::trace_span!(
        target: SPANS, "work", name = stage.name(), attempt, media.id = Empty, trace.id = Empty, span.id = Empty, parent.id = Empty, error = Empty
    )
}

/// The work of `span` is that of a job on this item.
pub fn belongs(span: &Span, media: &Media, job: &Job) {
    if !is_way(span) {
        return;
    }
    let parent = SpanId::of_sending(&media.id, job.stage, job.asked);
    identify(span, media, SpanId::of_work(&media.id, job.stage, job.asked), Some(parent));
}

/// The work of `span` took in an upload of this item, of that version: its first is the root of its trace.
pub fn arrived(span: &Span, media: &Media, version: &str) {
    if !is_way(span) {
        return;
    }
    let root = root(media);
    if media.uploads.first().is_none_or(|upload| upload.version == version) {
        identify(span, media, root, None);
    } else {
        identify(span, media, SpanId::of_arrival(&media.id, version), Some(root));
    }
}

/// The work of `span` failed, and may be tried again.
pub fn failed(span: &Span, job: &Job, attempt: u32, error: &str) {
    if is_way(span) {
        span.record("span.id", tracing::field::display(SpanId::of_failure(&job.media, job.stage, job.asked, attempt)));
        span.record("error", error);
    }
}

/// Spans of the jobs that a change makes due; they end when these are dropped.
pub fn sending_spans(before: Option<&Media>, after: &Media) -> Vec<Span> {
    if !tracing::enabled!(target: SPANS, tracing::Level::TRACE) {
        return Vec::new();
    }
    let stages = next_stages(before, after);
    let cause = cause(before, after).map_or_else(|| root(after), |(stage, asked)| SpanId::of_work(&after.id, stage, asked));
    stages.into_iter().map(|stage| sending_span(after, stage, cause)).collect()
}

/// The span of a job that is sent again, by who found that nobody works on it.
pub fn sending_again(media: &Media, stage: Stage) -> Span {
    sending_span(media, stage, root(media))
}

fn sending_span(media: &Media, stage: Stage, parent: SpanId) -> Span {
    let span = tracing::trace_span!(
        target: SPANS, "send", name = format!("send {stage}"), media.id = Empty, trace.id = Empty, span.id = Empty, parent.id = Empty
    );
    if is_way(&span) {
        let job = Job::of(media, stage);
        identify(&span, media, SpanId::of_sending(&media.id, stage, job.asked), Some(parent));
    }
    span
}

/// Where these are off, the current span is another's.
fn is_way(span: &Span) -> bool {
    span.metadata().is_some_and(|metadata| metadata.target() == SPANS)
}

fn root(media: &Media) -> SpanId {
    SpanId::of_work(&media.id, Stage::Validate, 0)
}

fn identify(span: &Span, media: &Media, id: SpanId, parent: Option<SpanId>) {
    use tracing::field::display;
    span.record("media.id", display(&media.id));
    span.record("trace.id", display(TraceId::of(media)));
    span.record("span.id", display(id));
    if let Some(parent) = parent {
        span.record("parent.id", display(parent));
    }
}
