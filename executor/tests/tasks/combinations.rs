//! Every way a task can end, with everything that can happen to its handle, when, and from where; as tokio's tests of that name do.

use crate::common;

use common::{Drops, Token, block_on, on_thread, start, until};
use executor::{Handle, JoinError, JoinHandle, Runtime};
use futures::task::AtomicWaker;
use std::future::poll_fn;
use std::panic::panic_any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::Poll;

/// What the task does once it may go on.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ending {
    Ready,
    Panic,
    Never,
}

/// What becomes of the handle.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Awaited,
    Dropped,
    Aborted,
    AbortedAndDropped,
}

/// When that happens.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Moment {
    AtOnce,
    Pending,
    Finished,
}

/// Where the handle is. The task is on core 0.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    SameCore,
    OtherCore,
    Thread,
}

#[derive(Clone, Copy, Debug)]
struct Combination {
    ending: Ending,
    fate: Fate,
    moment: Moment,
    place: Place,
}

impl Combination {
    fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for ending in [Ending::Ready, Ending::Panic, Ending::Never] {
            for fate in [
                Fate::Awaited,
                Fate::Dropped,
                Fate::Aborted,
                Fate::AbortedAndDropped,
            ] {
                for moment in [Moment::AtOnce, Moment::Pending, Moment::Finished] {
                    for place in [Place::SameCore, Place::OtherCore, Place::Thread] {
                        all.push(Self {
                            ending,
                            fate,
                            moment,
                            place,
                        });
                    }
                }
            }
        }
        // These would wait for ever.
        let hangs = |it: &Self| {
            it.ending == Ending::Never
                && (it.fate == Fate::Awaited || it.moment == Moment::Finished)
        };
        all.retain(|it| !hangs(it));
        all
    }

    /// Whether the outcome that the handle yielded is one that may be.
    fn check(self, outcome: Result<Token, JoinError>) {
        let is_cancelled = outcome.as_ref().is_err_and(JoinError::is_cancelled);
        let as_it_ended = match (self.ending, outcome) {
            (Ending::Ready, Ok(_)) => true,
            (Ending::Panic, Err(error)) if error.is_panic() => {
                assert!(
                    error.into_panic().is::<Token>(),
                    "the payload is the one it threw"
                );
                true
            }
            _ => false,
        };
        let allowed = match (self.fate, self.moment) {
            (Fate::Awaited, _) | (_, Moment::Finished) => as_it_ended,
            // It may not have been aborted before it was through.
            (_, Moment::AtOnce) => as_it_ended || is_cancelled,
            (_, Moment::Pending) => is_cancelled,
        };
        assert!(allowed, "{self:?}");
    }
}

/// What the task and the handle's side share.
#[derive(Default)]
struct Shared {
    is_polled: AtomicBool,
    may_end: AtomicBool,
    /// The task, which waits until it may end.
    task: AtomicWaker,
    /// The handle's side, which waits until the task was polled.
    other: AtomicWaker,
}

impl Shared {
    fn let_it_end(&self) {
        self.may_end.store(true, SeqCst);
        self.task.wake();
    }

    /// The task is being polled, or dropped; false the first time.
    fn mark(&self) -> bool {
        let before = self.is_polled.swap(true, SeqCst);
        self.other.wake();
        before
    }

    /// Waits until the task was polled, or dropped without a poll.
    async fn polled(&self) {
        poll_fn(|context| {
            self.other.register(context.waker());
            match self.is_polled.load(SeqCst) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
    }
}

/// Held by the task's future.
struct Held(
    Arc<Shared>,
    #[expect(dead_code, reason = "its drop counts")] Token,
);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.mark();
    }
}

/// The task: pending at its first poll, then as `ending` says when it is let. Three tokens: held, and yielded or thrown.
fn spawn_it(
    runtime: &Handle,
    ending: Ending,
    shared: &Arc<Shared>,
    drops: &Drops,
) -> JoinHandle<Token> {
    let held = Held(Arc::clone(shared), drops.token());
    let mut yielded = Some(drops.token());
    let future = poll_fn(move |context| {
        let shared = &held.0;
        shared.task.register(context.waker());
        let is_first = !shared.mark();
        if is_first || ending == Ending::Never || !shared.may_end.load(SeqCst) {
            return Poll::Pending;
        }
        let yielded = yielded.take().expect("it ends once");
        match ending {
            Ending::Ready => Poll::Ready(yielded),
            _ => panic_any(yielded),
        }
    });
    runtime.spawn_future_on(0, future)
}

/// One combination, seen from where the handle is.
async fn go_through(it: Combination, runtime: Handle, drops: Drops) {
    let shared = Arc::new(Shared::default());
    let task = spawn_it(&runtime, it.ending, &shared, &drops);
    match it.moment {
        Moment::AtOnce => {}
        Moment::Pending => shared.polled().await,
        Moment::Finished => {
            shared.polled().await;
            shared.let_it_end();
            until(|| task.is_finished()).await;
        }
    }
    if matches!(it.fate, Fate::Aborted | Fate::AbortedAndDropped) {
        task.abort();
    }
    if it.moment == Moment::AtOnce {
        // Before its first poll it would end by no wake.
        shared.polled().await;
    }
    match it.fate {
        Fate::Awaited | Fate::Aborted => {
            shared.let_it_end();
            it.check(task.await);
        }
        Fate::Dropped | Fate::AbortedAndDropped => {
            drop(task);
            shared.let_it_end();
        }
    }
}

fn go_through_all(runtime: &Runtime, rounds: usize, places: &[Place]) -> Drops {
    let drops = Drops::new();
    let handle = runtime.handle();
    runtime.block_on(async {
        for _ in 0..rounds {
            for it in Combination::all() {
                let walk = go_through(it, handle.clone(), drops.clone());
                match it.place {
                    place if !places.contains(&place) => {}
                    Place::SameCore => walk.await,
                    Place::OtherCore => executor::spawn_future_on(1, walk).await.unwrap(),
                    Place::Thread => on_thread(|| block_on(walk)).await,
                }
            }
        }
    });
    drops
}

/// All of them, again and again, on two cores: each outcome is one that may be, and everything is dropped exactly once.
#[test]
fn each_ends_as_it_should() {
    const ROUNDS: usize = 10;
    let Some(runtime) = start(2) else { return };
    let drops = go_through_all(
        &runtime,
        ROUNDS,
        &[Place::SameCore, Place::OtherCore, Place::Thread],
    );
    drop(runtime);
    assert_eq!(drops.count(), ROUNDS * Combination::all().len() * 2);
}

/// The same where there is one core only.
#[test]
fn each_ends_as_it_should_on_one_core() {
    const ROUNDS: usize = 10;
    let runtime = start(1).expect("one CPU");
    let places = [Place::SameCore, Place::Thread];
    let drops = go_through_all(&runtime, ROUNDS, &places);
    drop(runtime);
    let walked = Combination::all()
        .into_iter()
        .filter(|it| places.contains(&it.place));
    assert_eq!(drops.count(), ROUNDS * walked.count() * 2);
}
