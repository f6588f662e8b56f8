//! What the runtime logs, read: the one place where it says which features it started with.

#![allow(dead_code, reason = "each test file uses its own part of it")]

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::NoSubscriber;
use tracing::{Event, Metadata, Subscriber};

/// Calls `call` and gives, with its result, what was logged on this thread meanwhile: a line for each event.
pub(crate) fn logged<T>(call: impl FnOnce() -> T) -> (T, Vec<String>) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let keep = {
        let lines = Arc::clone(&lines);
        move |event: &Event<'_>| lines.lock().unwrap().push(line(event))
    };
    let result = observed(keep, call);
    let lines = std::mem::take(&mut *lines.lock().unwrap());
    (result, lines)
}

/// Calls `call`, and `each` for every event that is logged on this thread meanwhile.
pub(crate) fn observed<T>(
    each: impl Fn(&Event<'_>) + Send + Sync + 'static,
    call: impl FnOnce() -> T,
) -> T {
    // As long as it has seen one subscriber alone, tracing asks that of whatever thread comes by a place first whether anybody wants its events,
    // and does not ask again: here it might be a core that has none.
    let _second = tracing::Dispatch::new(NoSubscriber::default());
    tracing::subscriber::with_default(Observer(each), call)
}

/// From now on calls `each` for every event of this process, which has to be one made for the test.
pub(crate) fn observe_all(each: impl Fn(&Event<'_>) + Send + Sync + 'static) {
    tracing::subscriber::set_global_default(Observer(each)).expect("it is the only one");
}

/// What an event says, with its fields.
pub(crate) fn line(event: &Event<'_>) -> String {
    let mut line = Line(String::new());
    event.record(&mut line);
    line.0
}

struct Observer<F>(F);

impl<F: Fn(&Event<'_>) + 'static> Subscriber for Observer<F> {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn event(&self, event: &Event<'_>) {
        (self.0)(event);
    }

    // Spans are of no interest.
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{field}={value:?} ").expect("a string takes everything");
    }
}
