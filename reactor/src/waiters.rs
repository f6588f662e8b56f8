//! The queue that tasks of one core wait in, for a turn in a lane, a buffer of a pool, or what the executor's `sync` has: first come, first
//! served, each with what it wants and, later, what it was granted.
//!
//! A future that waits has a [`Place`] and is told by [`Waiters::wait`] what it got, or by [`Waiters::grant_at_once`], if it need not wait; in its
//! drop it calls [`Waiters::leave`], learns whether it had been granted something that it will not use, and passes that on. Each grant that is
//! taken takes one from the [`budget`]; if that is spent the grant is kept in the future's place. Who grants decides what is granted to whom; this knows only the order.
//!
//! Wakers are foreign code: they are cloned, woken and dropped while the list is not borrowed, so they may come back here. A waker that panics
//! stops nobody from being granted what comes next.

use crate::budget;
use crate::contain::contain_panic;
use slab::Slab;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::task::{Context, Poll, Waker, ready};

/// Where a future stands: `None` until it first had to wait, and again when it has its grant.
pub type Place = Option<usize>;

/// What a future that leaves had.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub enum Left<G> {
    /// It did not wait.
    Nothing,
    /// It waited; others that stood behind it may be next now.
    Waiting,
    /// It had been granted this and not taken it.
    Granted(G),
}

/// Those that wait, each for a `W`, in the order in which they came; and those that were granted a `G` and have not come for it yet.
pub struct Waiters<W, G> {
    list: RefCell<List<W, G>>,
    /// It stays on its core, also while nobody waits: a promise that could be loosened, and not the other way round.
    stays_here: PhantomData<*const ()>,
}

impl<W, G> std::fmt::Debug for Waiters<W, G> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Waiters").finish_non_exhaustive()
    }
}

struct List<W, G> {
    entries: Slab<Entry<W, G>>,
    first: Option<usize>,
    last: Option<usize>,
}

enum Entry<W, G> {
    /// In the list; `before` and `behind` are its neighbours there.
    Waiting {
        want: W,
        waker: Waker,
        before: Option<usize>,
        behind: Option<usize>,
    },
    /// In the list no more.
    Granted(G),
}

impl<W: Copy, G> Waiters<W, G> {
    /// Nobody waits.
    pub const fn new() -> Self {
        Self {
            list: RefCell::new(List {
                entries: Slab::new(),
                first: None,
                last: None,
            }),
            stays_here: PhantomData,
        }
    }

    /// What the first in the queue wants; `None` if nobody waits.
    pub fn first(&self) -> Option<W> {
        let list = self.list.borrow();
        let first = list.first?;
        match &list.entries[first] {
            Entry::Waiting { want, .. } => Some(*want),
            Entry::Granted(_) => unreachable!("it has left the list"),
        }
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.list.borrow().first.is_none()
    }

    /// Grants the first in the queue what it waits for, and wakes it; false if nobody waits.
    pub fn grant_first(&self, grant: G) -> bool {
        let waker = self.list.borrow_mut().grant_first(grant);
        let granted = waker.is_some();
        if let Some(waker) = waker {
            contain_panic("a waker", || waker.wake());
        }
        granted
    }

    /// Grants the last in the queue what it waits for, and wakes it; false if nobody waits.
    pub fn grant_last(&self, grant: G) -> bool {
        let waker = self.list.borrow_mut().grant_last(grant);
        let granted = waker.is_some();
        if let Some(waker) = waker {
            contain_panic("a waker", || waker.wake());
        }
        granted
    }

    /// Grants it to all that wait now, and wakes them. Who comes while they are woken is not among them.
    pub fn grant_all(&self, grant: G)
    where
        G: Clone,
    {
        let mut wakers = Vec::new();
        {
            let mut list = self.list.borrow_mut();
            while let Some(waker) = list.grant_first(grant.clone()) {
                wakers.push(waker);
            }
        }
        for waker in wakers {
            contain_panic("a waker", || waker.wake());
        }
    }

    /// The poll of a future that has no place: it need not wait for this grant. If the [`budget`] is spent, it has the grant in its place, and its
    /// next poll yields it.
    #[inline]
    pub fn grant_at_once(&self, place: &mut Place, grant: G, context: &mut Context<'_>) -> Poll<G> {
        debug_assert_eq!(*place, None, "it waits, or has been granted something");
        if budget::is_spent() {
            *place = Some(self.list.borrow_mut().entries.insert(Entry::Granted(grant)));
            budget::refuse(context.waker());
            return Poll::Pending;
        }
        budget::spend(context).map(|()| grant)
    }

    /// A future's poll: its grant, if it is there. Otherwise its waker will be woken when it is; the first time it goes to the end of the queue.
    pub fn wait(&self, place: &mut Place, want: W, context: &mut Context<'_>) -> Poll<G> {
        let Some(key) = *place else {
            let waker = context.waker().clone();
            *place = Some(self.list.borrow_mut().push(want, waker));
            return Poll::Pending;
        };
        let needs_waker = match &self.list.borrow().entries[key] {
            Entry::Waiting { waker, .. } => Some(!waker.will_wake(context.waker())),
            Entry::Granted(_) => None,
        };
        let fresh = match needs_waker {
            Some(needs_waker) => needs_waker.then(|| context.waker().clone()),
            None => {
                ready!(budget::spend(context));
                None
            }
        };
        let mut list = self.list.borrow_mut();
        match (&mut list.entries[key], fresh) {
            (Entry::Granted(_), unused) => {
                *place = None;
                let Entry::Granted(grant) = list.entries.remove(key) else {
                    unreachable!("just seen")
                };
                drop(list);
                drop(unused);
                Poll::Ready(grant)
            }
            (Entry::Waiting { waker, .. }, Some(fresh)) => {
                let stale = std::mem::replace(waker, fresh);
                drop(list);
                drop(stale);
                Poll::Pending
            }
            (Entry::Waiting { .. }, None) => Poll::Pending,
        }
    }

    /// A future's drop: it waits no more.
    pub fn leave(&self, place: &mut Place) -> Left<G> {
        let Some(key) = place.take() else {
            return Left::Nothing;
        };
        let entry = self.list.borrow_mut().remove(key);
        match entry {
            Entry::Granted(grant) => Left::Granted(grant),
            Entry::Waiting { waker, .. } => {
                contain_panic("dropping a waker", || drop(waker));
                Left::Waiting
            }
        }
    }
}

impl<W: Copy, G> Default for Waiters<W, G> {
    fn default() -> Self {
        Self::new()
    }
}

impl<W, G> List<W, G> {
    fn push(&mut self, want: W, waker: Waker) -> usize {
        let before = self.last;
        let key = self.entries.insert(Entry::Waiting {
            want,
            waker,
            before,
            behind: None,
        });
        *self.link_behind(before) = Some(key);
        self.last = Some(key);
        key
    }

    fn grant_first(&mut self, grant: G) -> Option<Waker> {
        self.first.map(|first| self.grant(first, grant))
    }

    fn grant_last(&mut self, grant: G) -> Option<Waker> {
        self.last.map(|last| self.grant(last, grant))
    }

    fn grant(&mut self, key: usize, grant: G) -> Waker {
        self.unlink(key);
        match std::mem::replace(&mut self.entries[key], Entry::Granted(grant)) {
            Entry::Waiting { waker, .. } => waker,
            Entry::Granted(_) => unreachable!("it was in the list"),
        }
    }

    fn remove(&mut self, key: usize) -> Entry<W, G> {
        self.unlink(key);
        self.entries.remove(key)
    }

    /// Takes an entry out of the list, if it is in it.
    fn unlink(&mut self, key: usize) {
        let Entry::Waiting { before, behind, .. } = self.entries[key] else {
            return;
        };
        *self.link_behind(before) = behind;
        *self.link_before(behind) = before;
    }

    /// What says who is behind `key`, or behind nobody: the first.
    fn link_behind(&mut self, key: Option<usize>) -> &mut Option<usize> {
        match key.map(|key| &mut self.entries[key]) {
            Some(Entry::Waiting { behind, .. }) => behind,
            Some(Entry::Granted(_)) => unreachable!("nobody's neighbour: it has left the list"),
            None => &mut self.first,
        }
    }

    /// What says who is before `key`, or before nobody: the last.
    fn link_before(&mut self, key: Option<usize>) -> &mut Option<usize> {
        match key.map(|key| &mut self.entries[key]) {
            Some(Entry::Waiting { before, .. }) => before,
            Some(Entry::Granted(_)) => unreachable!("nobody's neighbour: it has left the list"),
            None => &mut self.last,
        }
    }
}
