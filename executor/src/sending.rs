//! The bounds of what is sent to another core, as the compiler explains them.
//!
//! Each of these traits is [`Send`] under another name: whatever is `Send` has it, and nothing else can. They exist for the compiler's message.
//! For `Send` itself it names everything inside of a socket that is not `Send`, in an error each; for these it says once what to write instead.

#![forbid(unsafe_code)]

use std::marker::PhantomData;

/// Something that is sent to another core: what the bound on a future is written for.
///
/// The bound is not on the future itself. For an async block rustc (1.95) would then say what it says for `Send`.
#[derive(Debug)]
pub struct Message<T>(PhantomData<T>);

/// `Message<F>: SendableFuture` says that the future `F` is [`Send`], and can be sent to the core that is to run it.
#[diagnostic::on_unimplemented(
    message = "this future cannot be sent to another core: it holds something that is not `Send` across an `.await`",
    label = "this future has to be made on the core that runs it",
    note = "sockets, files, timers and `Rc`s stay on the core that they were made on. To make the future there, write \
            `spawn_on(core, async move || {{ .. }})` instead of `spawn_future_on(core, async move {{ .. }})`",
    note = "to see what is not `Send`, give the future to a `fn needs_send(_: impl Send) {{}}`"
)]
pub trait SendableFuture {}

/// A closure that is [`Send`]: it can be called on another core or thread.
#[diagnostic::on_unimplemented(
    message = "this closure cannot be sent to another core or thread: it captures something that is not `Send`",
    label = "what this closure captures stays here",
    note = "sockets, files, timers, `Rc`s and what is in `executor::sync` stay on the core that they were made on. Make them inside \
            of the closure, or send what they are made from: sockets, pipes and files have `into_std` for it",
    note = "between cores, use a channel whose ends are `Send`, such as those of `async-channel` or `tokio::sync`, or `Sharded`",
    note = "to see what is not `Send`, give the closure to a `fn needs_send(_: impl Send) {{}}`"
)]
pub trait SendableClosure: Send {}

/// An output that is [`Send`]: it can be sent to the core or thread that awaits it.
#[diagnostic::on_unimplemented(
    message = "the output of this task cannot be sent to the core that awaits it: it is not `Send`",
    label = "this yields something that is not `Send`",
    note = "sockets, files, timers and `Rc`s stay on the core that they were made on. Use them there and yield what is `Send`, or send \
            what they are made from: sockets, pipes and files have `into_std` for it"
)]
pub trait SendableOutput: Send {}

#[diagnostic::do_not_recommend]
impl<T: Send> SendableFuture for Message<T> {}

#[diagnostic::do_not_recommend]
impl<T: Send> SendableClosure for T {}

#[diagnostic::do_not_recommend]
impl<T: Send> SendableOutput for T {}
