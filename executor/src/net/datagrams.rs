//! Receiving datagrams into the buffers of a pool.

use super::address::to_std;
use super::current_reactor;
use super::prompt_lane::PromptLane;
use super::receive::{is_dry, take, until_free};
use crate::Next;
use crate::buf::BufResult;
use futures_core::Stream;
use futures_core::stream::FusedStream;
use reactor::buffers::{BufPool, PoolBuf};
use reactor::operation::{self, InTurn, KeptDatagram, RecvDatagram, RecvMsgMulti, StreamInTurn};
use reactor::{Descriptor, Lane, Reactor};
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::{fmt, io};

/// A datagram in a buffer of a pool.
#[derive(Debug)]
#[non_exhaustive]
pub struct Datagram {
    /// Its bytes.
    pub payload: PoolBuf,
    /// Its sender.
    pub sender: SocketAddr,
    /// It was longer than the buffer, and its end is lost.
    pub is_truncated: bool,
}

/// The datagrams that come to a socket, in buffers of a [`BufPool`](super::BufPool); they never end.
///
/// One submission serves any number of datagrams (`IORING_OP_RECVMSG` multishot); where the kernel lacks that
/// ([`Feature::MultishotReceive`](crate::Feature)), each takes two operations. A pool that has run dry is waited for: what comes meanwhile
/// waits in the socket, as far as its receive buffer goes; what does not fit there UDP loses.
///
/// While it lives it has the receiving side of the socket for itself: other receives fail with `EBUSY`, or wait. **Dropped**, it loses
/// nothing: what had arrived by then, the next receive begins with.
///
/// An error is an item, and the stream can be asked again.
///
/// # Examples
/// ```
/// use executor::net::{BufPool, Filling, PoolOptions, UdpSocket};
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let options = PoolOptions { count: 64, buffer_bytes: 2048, filling: Filling::Whole };
/// let pool = BufPool::new(options)?;
/// let socket = UdpSocket::bind("127.0.0.1:0")?;
/// let client = UdpSocket::bind("127.0.0.1:0")?;
/// client.send_to("hello", socket.local_addr()?).await.0?;
/// let mut datagrams = socket.receive(&pool)?;
/// if let Some(datagram) = datagrams.next().await {
///     let datagram = datagram?;
///     assert_eq!(&*datagram.payload, b"hello");
///     socket.send_to(datagram.payload, datagram.sender).await.0?;
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a stream does nothing unless polled"]
pub struct Datagrams {
    reactor: Rc<Reactor>,
    pool: BufPool,
    stage: Stage,
    socket: Descriptor,
    // After the stage and the descriptor: see there.
    inbound: PromptLane<KeptDatagram>,
}

enum Stage {
    Idle,
    Armed(StreamInTurn<RecvMsgMulti>),
    /// The pool has run dry.
    Waiting(Pin<Box<dyn Future<Output = ()>>>),
    /// The kernel does not choose buffers: the next datagram.
    ByHand(Pin<Box<dyn Future<Output = io::Result<operation::Datagram>>>>),
}

impl Datagrams {
    /// # Errors
    /// `InvalidInput` if the pool's buffers are too small, or are filled incrementally.
    #[track_caller]
    pub(super) fn new(
        socket: Descriptor,
        inbound: PromptLane<KeptDatagram>,
        pool: &super::BufPool,
    ) -> io::Result<Self> {
        let pool = pool.for_this_core("receive");
        // Whether it can be used is to be known at once, whatever the kernel has.
        drop(RecvMsgMulti::new(socket.clone(), pool.clone())?);
        Ok(Self {
            reactor: current_reactor("receive"),
            socket,
            inbound,
            pool,
            stage: Stage::Idle,
        })
    }

    /// The next datagram. Always `Some`; an `Option` as streams have it.
    ///
    /// **Dropped** before it is ready, nothing is lost: the next call goes on.
    #[expect(clippy::should_implement_trait, reason = "as for every stream")]
    pub fn next(&mut self) -> Next<'_, Self> {
        Next::new(self)
    }

    fn next_stage(&self) -> io::Result<Stage> {
        let reactor = Rc::clone(&self.reactor);
        let (socket, inbound, pool) = (
            self.socket.clone(),
            Rc::clone(self.inbound.lane()),
            self.pool.clone(),
        );
        if pool.is_registered() {
            let receive = RecvMsgMulti::new(socket, pool)?;
            return Ok(Stage::Armed(StreamInTurn::new(reactor, inbound, receive)));
        }
        let datagram = receive_by_hand(reactor, socket, inbound, pool);
        Ok(Stage::ByHand(Box::pin(datagram)))
    }
}

/// Waits for something to come before it takes a buffer, so that a socket which waits holds none.
async fn receive_by_hand(
    reactor: Rc<Reactor>,
    socket: Descriptor,
    inbound: Rc<Lane<KeptDatagram>>,
    pool: BufPool,
) -> io::Result<operation::Datagram> {
    let peek = RecvDatagram::peeking(socket.clone(), ([0; 0],));
    let BufResult(peeked, _) = InTurn::new(Rc::clone(&reactor), Rc::clone(&inbound), peek).await;
    peeked?;
    let buffer = take(&pool).await;
    let receive = RecvDatagram::new(socket, (buffer,));
    let BufResult(received, (payload,)) = InTurn::new(reactor, inbound, receive).await;
    let received = received?;
    Ok(operation::Datagram {
        payload,
        sender: received.sender,
        is_truncated: received.is_truncated,
    })
}

impl Stream for Datagrams {
    type Item = io::Result<Datagram>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let received = loop {
            match &mut self.stage {
                Stage::Idle => match self.next_stage() {
                    Ok(stage) => self.stage = stage,
                    Err(error) => break Err(error),
                },
                Stage::Armed(stream) => match ready!(stream.poll_next(context)) {
                    // It was paused, or an empty datagram ended it.
                    None => self.stage = Stage::Idle,
                    Some(Err(error)) if is_dry(&error) => {
                        self.stage = Stage::Waiting(until_free(&self.pool));
                    }
                    Some(item) => break item,
                },
                Stage::Waiting(free) => {
                    ready!(free.as_mut().poll(context));
                    self.stage = Stage::Idle;
                }
                Stage::ByHand(datagram) => {
                    let received = ready!(datagram.as_mut().poll(context));
                    self.stage = Stage::Idle;
                    break received;
                }
            }
        };
        let datagram = received.and_then(|datagram| {
            Ok(Datagram {
                payload: datagram.payload,
                sender: to_std(&datagram.sender)?,
                is_truncated: datagram.is_truncated,
            })
        });
        Poll::Ready(Some(datagram))
    }
}

impl FusedStream for Datagrams {
    /// It never ends.
    fn is_terminated(&self) -> bool {
        false
    }
}

impl fmt::Debug for Datagrams {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Datagrams")
            .field("socket", &self.socket)
            .field("pool", &self.pool)
            .finish_non_exhaustive()
    }
}
