//! How a budget is spent, refused and renewed.

use super::{PER_POLL, REFUSALS_MAX, is_spent, limit, limited, spend, unlimited};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// A budget is spent: then each is refused and woken, and what it would have called is not called. Without a budget, nothing is refused.
#[test]
fn a_spent_budget_refuses_and_wakes() {
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    let mut context = Context::from_waker(&waker);
    limited(|| {
        for _ in 0..PER_POLL {
            assert!(!is_spent());
            assert!(spend(&mut context).is_ready());
        }
        assert!(is_spent());
        assert!(spend(&mut context).is_pending());
        assert!(limit(&mut context, |_| -> Poll<()> { panic!("called") }).is_pending());
        assert_eq!(count.0.load(SeqCst), 2);
        unlimited(|| assert!(spend(&mut context).is_ready()));
        assert!(is_spent());
    });
    for _ in 0..=PER_POLL {
        assert!(spend(&mut context).is_ready());
    }
}

/// What is pending takes nothing.
#[test]
fn only_what_is_ready_takes_from_it() {
    let mut context = Context::from_waker(Waker::noop());
    limited(|| {
        for _ in 0..=PER_POLL {
            assert!(limit(&mut context, |_| Poll::<()>::Pending).is_pending());
        }
        assert!(!is_spent());
    });
}

/// Somebody polls until it is ready, without giving the thread back: it is, in the end.
#[test]
fn who_polls_in_a_loop_is_not_refused_for_ever() {
    let mut context = Context::from_waker(Waker::noop());
    limited(|| {
        let (mut most, mut in_a_row) = (0, 0);
        for _ in 0..10 * REFUSALS_MAX {
            in_a_row = match spend(&mut context) {
                Poll::Ready(()) => 0,
                Poll::Pending => in_a_row + 1,
            };
            most = most.max(in_a_row);
        }
        assert_eq!(most, REFUSALS_MAX + 1);
    });
}
