//! The public futures of operations: each a struct with a name of its own around a future of the reactor, which users do not see.

#![forbid(unsafe_code)]

use crate::buf::BufResult;
use reactor::operation::{InTurn, Op, Operation, Ordered};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Defines the futures. Each has the documentation of what it does when dropped, and gets `Future`, `FusedFuture`, `Debug` and `cancel`.
///
/// `Name<B: Bound>(Inner) -> Output` yields what the inner future yields; `Name(Inner) -> Output = form` makes it of that.
macro_rules! operations {
    (@form) => { std::convert::identity };
    (@form $form:expr) => { $form };
    ($(
        $(#[$attribute:meta])*
        pub struct $name:ident $(<$buffer:ident: $bound:ident $(+ $more:tt)* $(, $value:ident = $default:ty)?>)?
            ($inner:ty) -> $output:ty $(= $form:expr)?;
    )+) => {$(
        $(#[$attribute])*
        #[must_use = "futures do nothing unless polled"]
        pub struct $name $(<$buffer: $bound $(+ $more)* $(, $value = $default)?>)? (pub(crate) $inner);

        impl $(<$buffer: $bound $(+ $more)* $(, $value)?>)? $name $(<$buffer $(, $value)?>)? {
            /// Asks the kernel to give the operation up, and returns the future, to be awaited again. It is then ready soon: with the buffer, and
            /// with the count if the operation was done before the cancel reached it. Otherwise the error is `ECANCELED`
            /// ([`raw_os_error`](std::io::Error::raw_os_error); [`ErrorKind`](std::io::ErrorKind) has no name for it), or `Interrupted` if a
            /// worker thread of the kernel was blocked in the operation.
            ///
            /// An operation that was never polled has not begun, and does not begin.
            pub fn cancel(self) -> Self {
                Self($crate::operation::Cancel::cancel(self.0))
            }
        }

        impl $(<$buffer: $bound $(+ $more)* $(, $value)?>)? std::future::Future for $name $(<$buffer $(, $value)?>)? {
            type Output = $output;

            #[inline]
            fn poll(
                mut self: std::pin::Pin<&mut Self>,
                context: &mut std::task::Context<'_>,
            ) -> std::task::Poll<$output> {
                std::pin::Pin::new(&mut self.0).poll(context).map($crate::operation::operations!(@form $($form)?))
            }
        }

        impl $(<$buffer: $bound $(+ $more)* $(, $value)?>)? futures_core::FusedFuture for $name $(<$buffer $(, $value)?>)? {
            fn is_terminated(&self) -> bool {
                $crate::operation::Cancel::is_over(&self.0)
            }
        }

        impl $(<$buffer: $bound $(+ $more)* $(, $value)?>)? std::fmt::Debug for $name $(<$buffer $(, $value)?>)? {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )+};
}

pub(crate) use operations;

/// What the public futures wrap.
pub(crate) trait Cancel: Future + Unpin {
    fn cancel(self) -> Self;

    fn is_over(&self) -> bool;
}

impl<O: Operation> Cancel for Op<O> {
    fn cancel(self) -> Self {
        Op::cancel(self)
    }

    fn is_over(&self) -> bool {
        Op::is_over(self)
    }
}

impl<O: Ordered> Cancel for InTurn<O> {
    fn cancel(self) -> Self {
        InTurn::cancel(self)
    }

    fn is_over(&self) -> bool {
        InTurn::is_over(self)
    }
}

/// An operation with its outcome in another form, which depends on who asks.
pub(crate) struct Formed<F: Future, T> {
    pub(crate) operation: F,
    pub(crate) form: fn(F::Output) -> T,
}

impl<F: Cancel, T> Cancel for Formed<F, T> {
    fn cancel(self) -> Self {
        let operation = self.operation.cancel();
        Self { operation, ..self }
    }

    fn is_over(&self) -> bool {
        self.operation.is_over()
    }
}

impl<F: Future + Unpin, T> Future for Formed<F, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        Pin::new(&mut self.operation).poll(context).map(self.form)
    }
}

/// An operation on a buffer, or the reason why it was not begun.
pub(crate) enum Checked<F, B> {
    Begun(F),
    /// Until it is told.
    Refused(Option<(io::Error, B)>),
}

impl<F, B> Checked<F, B> {
    pub(crate) fn refused(error: io::Error, buffer: B) -> Self {
        Self::Refused(Some((error, buffer)))
    }
}

impl<F, B> Cancel for Checked<F, B>
where
    F: Cancel<Output = BufResult<usize, B>>,
{
    fn cancel(self) -> Self {
        match self {
            Self::Begun(operation) => Self::Begun(operation.cancel()),
            refused => refused,
        }
    }

    fn is_over(&self) -> bool {
        match self {
            Self::Begun(operation) => operation.is_over(),
            Self::Refused(reason) => reason.is_none(),
        }
    }
}

// The buffer is moved out, never pinned.
impl<F: Unpin, B> Unpin for Checked<F, B> {}

impl<F, B> Future for Checked<F, B>
where
    F: Future<Output = BufResult<usize, B>> + Unpin,
{
    type Output = BufResult<usize, B>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::Begun(operation) => Pin::new(operation).poll(context),
            Self::Refused(reason) => {
                let (error, buffer) = reason
                    .take()
                    .expect("a future was polled after it was ready");
                Poll::Ready(BufResult(Err(error), buffer))
            }
        }
    }
}
