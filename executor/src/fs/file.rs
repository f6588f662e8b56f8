//! An open file: at offsets, and as a whole. What is read and written where it stands is in `cursor.rs`.

use super::lock::LockTurns;
use super::metadata::{self, Metadata};
use super::{
    Allocate, FileTimes, OpenOptions, Permissions, ReadAt, ReadFixedAt, ReadVectoredAt, Registered,
    SyncAll, SyncData, WriteAt, WriteFixedAt, WriteVectoredAt,
};
use crate::blocking;
use crate::buf::{IoBuf, IoBufMut, IoVectoredBuf, IoVectoredBufMut};
use crate::io::closing;
use crate::io::conversions::as_raw_fd;
use crate::io::ends::{current_reactor, descriptor};
use crate::operation::Checked;
use reactor::operation::{self, FileOperation, InTurn, KeptInput, Op, Stat};
use reactor::{Descriptor, Feature, Lane};
use rustix::fs::{FileType, OFlags, SeekFrom, fcntl_getfl, seek};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::rc::Rc;

/// An open file, bound to the core it was opened on. To hand it to another core, turn it [into a standard one](Self::into_std) and back
/// there.
///
/// It is read and written at offsets, any number of operations at a time; or where it stands, one after another, by the traits
/// [`AsyncRead`](crate::io::AsyncRead) and [`AsyncWrite`](crate::io::AsyncWrite), which move on by what was read or written. The two know
/// nothing of each other. The position is this `File`'s own, not the kernel's, which duplicates of the descriptor share; but what
/// cannot seek (a terminal, a pipe) is read and written in order as always, and has no offsets.
///
/// **Dropping** a read loses nothing: the position moves on when the bytes are delivered. A write that was dropped may have written some, all or
/// none of its bytes, and the position has not moved. The next read, write or sync by the traits waits until it is over; operations at offsets
/// do not wait for each other, so let no write at an offset be dropped if another follows at the same place, or
/// [cancel](WriteAt::cancel) it.
///
/// One operation transfers 0x7fff_f000 bytes (2 GiB less a page) at most, and says how many. The helpers `read_exact_at`, `write_all_at` and so
/// on go on until all is done.
///
/// **Dropping** the file closes it, once no operation of it is in flight; where closing may take long, as on NFS, which writes back what is left, in
/// the background. Errors of closing are lost: [`close`](Self::close) tells them; [`sync_all`](Self::sync_all) first, if it matters what got
/// to the medium.
///
/// # Examples
/// ```
/// use executor::buf::BufResult;
/// use executor::fs::File;
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// # let path = std::env::temp_dir().join("executor-doc-file");
/// let file = File::create_new(&path).await?;
/// # executor::fs::remove_file(&path).await?;
/// assert_eq!(file.write_at("0123456789", 0).await.0?, 10);
/// let BufResult(read, text) = file.read_at(Vec::with_capacity(4), 3).await;
/// read?;
/// assert_eq!(text, b"3456");
/// assert_eq!(file.metadata().await?.len(), 10);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct File {
    pub(super) file: Descriptor,
    /// For what moves the position, and what comes after it.
    pub(super) turns: Rc<Lane<()>>,
    pub(super) position: u64,
    /// If it cannot seek, or only pretends to: then it is read in order.
    pub(super) stream: Option<Rc<Lane<KeptInput>>>,
    pub(super) appends: bool,
    pub(super) lock_turns: LockTurns,
    /// Whether the kernel takes a place in it, or pretends to.
    has_places: bool,
}

impl File {
    /// Opens a file to be read. As for [`OpenOptions::open`].
    ///
    /// # Errors
    /// As open(2) has them.
    pub async fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        OpenOptions::new().read(true).open(path).await
    }

    /// Opens a file to be written, which is emptied, or created. As for [`OpenOptions::open`].
    ///
    /// # Errors
    /// As open(2) has them.
    pub async fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        options.open(path).await
    }

    /// Creates a file, which must not be there, to be read and written. As for [`OpenOptions::open`].
    ///
    /// # Errors
    /// As open(2) has them: `AlreadyExists`.
    pub async fn create_new(path: impl AsRef<Path>) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        options.open(path).await
    }

    /// Options to open one with.
    pub fn options() -> OpenOptions {
        OpenOptions::new()
    }

    pub(crate) fn descriptor(&self) -> &Descriptor {
        &self.file
    }

    /// That place in the file; in one that has none, a place that the kernel refuses, though it would take any for the one that is next.
    fn place(&self, offset: u64) -> u64 {
        if self.has_places { offset } else { u64::MAX }
    }

    /// Reads at `offset` bytes into the buffer's capacity from its start; the buffer's length becomes the count. Zero is the end of the
    /// file, also if it was truncated meanwhile, or a buffer without capacity.
    ///
    /// **Dropped**, nothing is lost but the buffer.
    ///
    /// # Errors
    /// As pread(2) has them: `EBADF` if it was not opened to be read, `IsADirectory`, `EIO` of the medium. `InvalidInput` if it has no places, as a
    /// pipe or a terminal: those are read by the traits.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn read_at<B: IoBufMut>(&self, buffer: B, offset: u64) -> ReadAt<B> {
        let read = operation::ReadAt::new(self.file.clone(), buffer, self.place(offset));
        ReadAt(Checked::Begun(Op::new(current_reactor("read_at"), read)))
    }

    /// The same into several buffers, each filled before the next. Those that nothing came for stay as they were: the count tells.
    #[track_caller]
    pub fn read_vectored_at<V: IoVectoredBufMut>(
        &self,
        buffers: V,
        offset: u64,
    ) -> ReadVectoredAt<V> {
        let read = operation::ReadVectoredAt::new(self.file.clone(), buffers, self.place(offset));
        ReadVectoredAt(Op::new(current_reactor("read_vectored_at"), read))
    }

    /// [`read_at`](Self::read_at) into a buffer of [`RegisteredBufs`](super::RegisteredBufs), or a [slice](IoBuf::slice) of one, as one that
    /// the kernel knows; if it does not know it, or knows it on another core's ring, as any other.
    ///
    /// **Dropped**, nothing is lost; the buffer goes back to its group when the kernel is done with it.
    ///
    /// # Errors
    /// As for [`read_at`](Self::read_at).
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn read_fixed_at<B: Registered + IoBufMut>(
        &self,
        buffer: B,
        offset: u64,
    ) -> ReadFixedAt<B> {
        let reactor = current_reactor("read_fixed_at");
        let place = self.place(offset);
        let read = operation::ReadFixed::new(&reactor, self.file.clone(), buffer, place);
        ReadFixedAt(Checked::Begun(Op::new(reactor, read)))
    }

    /// Writes bytes of the buffer at `offset` bytes and says how many: all, as a rule, but fewer where the disk is full after them, or a
    /// limit reached. If the file was opened to append, they go to its end.
    ///
    /// **Dropped**, some, all or none of the bytes may have been written, or be written later: see [`File`].
    ///
    /// # Errors
    /// As pwrite(2) has them: `StorageFull` if there was no room for the first byte, `FileTooLarge`, `EBADF` if it was not opened to be
    /// written, `EIO`. Others may show at [`sync_all`](Self::sync_all) only.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn write_at<B: IoBuf>(&self, buffer: B, offset: u64) -> WriteAt<B> {
        let write = operation::Write::at(self.file.clone(), buffer, self.place(offset));
        WriteAt(Checked::Begun(Op::new(current_reactor("write_at"), write)))
    }

    /// The same of several buffers, in order.
    #[track_caller]
    pub fn write_vectored_at<V: IoVectoredBuf>(
        &self,
        buffers: V,
        offset: u64,
    ) -> WriteVectoredAt<V> {
        let write = operation::WriteVectored::at(self.file.clone(), buffers, self.place(offset));
        WriteVectoredAt(Op::new(current_reactor("write_vectored_at"), write))
    }

    /// [`write_at`](Self::write_at) of a buffer of [`RegisteredBufs`](super::RegisteredBufs), or a [slice](IoBuf::slice) of one, as one that
    /// the kernel knows; if it does not know it, or knows it on another core's ring, as any other.
    ///
    /// **Dropped**, some, all or none of the bytes may have been written, or be written later: see [`File`]. The buffer goes back to its group
    /// when the kernel is done with it, and not before.
    ///
    /// # Errors
    /// As for [`write_at`](Self::write_at).
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn write_fixed_at<B: Registered>(&self, buffer: B, offset: u64) -> WriteFixedAt<B> {
        let reactor = current_reactor("write_fixed_at");
        let place = self.place(offset);
        let write = operation::WriteFixed::new(&reactor, self.file.clone(), buffer, place);
        WriteFixedAt(Checked::Begun(Op::new(reactor, write)))
    }

    #[track_caller]
    fn in_turn(&self, what: &str, operation: FileOperation) -> InTurn<FileOperation> {
        InTurn::new(current_reactor(what), Rc::clone(&self.turns), operation)
    }

    /// Waits until everything written so far, and what belongs to the file (length, times), is on the medium.
    ///
    /// **Dropped**, it may take place or not.
    ///
    /// # Errors
    /// As fsync(2) has them: `EIO`, `StorageFull`; what was written since the last time may be lost then.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn sync_all(&self) -> SyncAll {
        let sync = FileOperation::sync_all(self.file.clone());
        SyncAll(self.in_turn("sync_all", sync))
    }

    /// The same for the data, and of the rest only what is needed to find it.
    ///
    /// # Errors
    /// As for [`sync_all`](Self::sync_all).
    #[track_caller]
    pub fn sync_data(&self) -> SyncData {
        let sync = FileOperation::sync_data(self.file.clone());
        SyncData(self.in_turn("sync_data", sync))
    }

    /// Sees to it that `length` bytes from `offset` on have their place on the medium, so that writing them cannot find it full. The file
    /// grows if they are behind its end; what is new in it is zero.
    ///
    /// **Dropped**, it may take place or not.
    ///
    /// # Errors
    /// As fallocate(2) has them: `StorageFull`; `EOPNOTSUPP` where the file system cannot.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn allocate(&self, offset: u64, length: u64) -> Allocate {
        let allocate = FileOperation::allocate(self.file.clone(), offset, length);
        Allocate(self.in_turn("allocate", allocate))
    }

    /// The same, but the file does not grow: what is reserved behind its end is there for later writes.
    ///
    /// # Errors
    /// As for [`allocate`](Self::allocate).
    #[track_caller]
    pub fn allocate_keep_size(&self, offset: u64, length: u64) -> Allocate {
        let allocate = FileOperation::allocate_keeping_size(self.file.clone(), offset, length);
        Allocate(self.in_turn("allocate_keep_size", allocate))
    }

    /// Gives the room of `length` bytes from `offset` on back to the file system. They read as zeros then; the file keeps its length. Blocks of
    /// the file system that are not wholly in the range keep their room, and only the bytes in the range become zero.
    ///
    /// **Dropped**, it may take place or not.
    ///
    /// # Errors
    /// As fallocate(2) has them: `EBADF` if it was not opened to be written; `EOPNOTSUPP` where the file system cannot.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn punch_hole(&self, offset: u64, length: u64) -> Allocate {
        let punch = FileOperation::punch_hole(self.file.clone(), offset, length);
        Allocate(self.in_turn("punch_hole", punch))
    }

    /// Makes the file `length` bytes long: cuts it off, or adds zeros. The position stays where it is.
    ///
    /// **Dropped**, it may take place or not.
    ///
    /// # Errors
    /// As ftruncate(2) has them: `InvalidInput` if it was not opened to be written, `FileTooLarge`.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub async fn set_len(&self, length: u64) -> io::Result<()> {
        if current_reactor("set_len")
            .capabilities()
            .has(Feature::Truncate)
        {
            let set = FileOperation::set_length(self.file.clone(), length);
            return self.in_turn("set_len", set).await;
        }
        let file = self.duplicate()?;
        blocking::call(move || file.set_len(length)).await
    }

    /// What the file system knows of it.
    ///
    /// # Errors
    /// As statx(2) has them.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub async fn metadata(&self) -> io::Result<Metadata> {
        let stat = Stat::of_file(self.file.clone(), metadata::WANTED);
        Op::new(current_reactor("metadata"), stat)
            .await
            .map(Metadata::from)
    }

    /// Sets who may do what with it.
    ///
    /// **Dropped**, it takes place all the same, once it was begun.
    ///
    /// # Errors
    /// As fchmod(2) has them.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub async fn set_permissions(&self, permissions: Permissions) -> io::Result<()> {
        let file = self.duplicate()?;
        blocking::call(move || file.set_permissions(permissions)).await
    }

    /// Sets when it was last read and written. Done by a thread that may block.
    ///
    /// **Dropped**, it takes place all the same, once it was begun.
    ///
    /// # Errors
    /// As utimensat(2) has them: `PermissionDenied` if it belongs to somebody else.
    ///
    /// # Panics
    /// Outside of a runtime.
    ///
    /// # Examples
    /// ```
    /// use executor::fs::{File, FileTimes};
    /// use std::time::SystemTime;
    /// # #[executor::main(cores = 1)]
    /// # async fn main() -> std::io::Result<()> {
    /// # let path = std::env::temp_dir().join("executor-doc-set-times");
    /// let file = File::create(&path).await?;
    /// file.set_times(FileTimes::new().set_modified(SystemTime::UNIX_EPOCH)).await?;
    /// assert_eq!(file.metadata().await?.modified()?, SystemTime::UNIX_EPOCH);
    /// # executor::fs::remove_file(&path).await
    /// # }
    /// ```
    pub async fn set_times(&self, times: FileTimes) -> io::Result<()> {
        let file = self.duplicate()?;
        blocking::call(move || file.set_times(times)).await
    }

    /// For a thread that may block.
    pub(super) fn duplicate(&self) -> io::Result<std::fs::File> {
        self.file.as_fd().try_clone_to_owned().map(Into::into)
    }

    /// Closes it, on the ring, and says what closing it had to say.
    ///
    /// Whatever else holds the file is waited for: operations that were dropped and are being
    /// cancelled; a call on its [lock](Self::lock); a [`SharedFd`](crate::ring::SharedFd) of it, or
    /// an end of a [splice](crate::io::splice()); and operations at offsets whose futures are alive. So
    /// such a future is to be polled by another task, or to be dropped: otherwise this waits for
    /// ever.
    ///
    /// **Dropped** before it is ready, it is closed all the same, when the last holder lets go of
    /// it.
    ///
    /// # Errors
    /// As close(2) has them: of what was still to be written, on file systems that write then.
    /// `ResourceBusy` if a future that goes in order is alive, such as a sync: then it is closed
    /// when the last of them is dropped.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub async fn close(self) -> io::Result<()> {
        closing::refuse_if_used(&self.turns)?;
        self.turns.settled().await;
        if let Some(stream) = &self.stream {
            stream.settled().await;
        }
        self.lock_turns.settled().await;
        closing::close(self.file).await
    }

    /// Duplicates the descriptor: both are the same open file, on this core, and it is closed when both are. The duplicate stands where this one
    /// does, and from then on each has its own position; [locks](Self::lock) are common to both. What cannot seek has one for both, and data that a dropped read has left stays with the
    /// handle that read it.
    ///
    /// # Errors
    /// As fcntl(2) has them, for `F_DUPFD_CLOEXEC`: `EMFILE` if there are too many descriptors.
    pub fn try_clone(&self) -> io::Result<Self> {
        let file = self.file.as_fd().try_clone_to_owned()?;
        Ok(Self {
            position: self.position,
            lock_turns: self.lock_turns.clone(),
            ..Self::from(file)
        })
    }

    /// Takes over a file of the standard library, where it stands: the same as [`From`]. It belongs to this core from now on.
    pub fn from_std(file: std::fs::File) -> Self {
        Self::from(file)
    }

    /// Gives the bare descriptor back, to be sent to another core, or to be passed to another library.
    ///
    /// # Errors
    /// `self`, for the same reasons as [`into_std`](Self::into_std).
    pub fn into_owned_fd(self) -> Result<OwnedFd, Self> {
        self.into_std().map(OwnedFd::from)
    }

    /// Turns it into a file of the standard library, which stands where this one does, may be sent to another core, and turned back there.
    ///
    /// # Errors
    /// The file itself, while an operation of it is in flight, also one that was dropped, and while
    /// bytes that a dropped read of something that cannot seek has left are to be read. Also while
    /// a call on its [lock](Self::lock) is under way, of a clone or of a future that was dropped:
    /// the file would be unlocked behind the back of its new owner. And while a dropped sync has left
    /// an error that no later sync was told of: call [`sync_all`](Self::sync_all) to get it.
    pub fn into_std(self) -> Result<std::fs::File, Self> {
        let is_stream_idle = self.stream.as_ref().is_none_or(|lane| lane.is_idle());
        if !is_stream_idle || !self.turns.is_idle() || !self.lock_turns.is_idle() {
            return Err(self);
        }
        match self.file.try_into_owned() {
            Ok(file) => {
                if self.stream.is_none() {
                    // It could seek when it was opened, and goes on to.
                    let _ = seek(&file, SeekFrom::Start(self.position));
                }
                Ok(file.into())
            }
            Err(file) => Err(Self { file, ..self }),
        }
    }
}

impl AsFd for File {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

as_raw_fd!([] File);

impl From<OwnedFd> for File {
    /// Takes over an open file, where it stands.
    fn from(file: OwnedFd) -> Self {
        let file = descriptor(file);
        // Devices and the like (an eventfd, inotify) say that they can seek, and what was read from them is not there to be read again.
        let is_kept = matches!(
            file.file_type(),
            FileType::RegularFile | FileType::BlockDevice | FileType::Directory
        );
        let position = seek(&file, SeekFrom::Current(0)).ok();
        let has_places = position.is_some();
        let position = position.filter(|_| is_kept);
        let flags = fcntl_getfl(&file).unwrap_or(OFlags::empty());
        Self {
            file,
            turns: Lane::new(),
            stream: position.is_none().then(Lane::new),
            has_places,
            position: position.unwrap_or(0),
            appends: flags.contains(OFlags::APPEND),
            lock_turns: LockTurns::new(),
        }
    }
}

impl From<std::fs::File> for File {
    /// Takes over a file of the standard library, where it stands.
    fn from(file: std::fs::File) -> Self {
        OwnedFd::from(file).into()
    }
}
