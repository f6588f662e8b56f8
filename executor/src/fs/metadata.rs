//! What a file system knows of a file.

use super::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};
use std::{fmt, io};

/// What is asked for, each time.
pub(super) const WANTED: u32 = libc::STATX_BASIC_STATS | libc::STATX_BTIME;

/// What a file is.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileType {
    format: u32,
}

impl FileType {
    pub(super) fn of_mode(mode: u32) -> Self {
        let format = mode & libc::S_IFMT;
        Self { format }
    }

    /// Whether it is a regular file.
    pub fn is_file(self) -> bool {
        self.format == libc::S_IFREG
    }

    /// Whether it is a directory.
    pub fn is_dir(self) -> bool {
        self.format == libc::S_IFDIR
    }

    /// Whether it is a symbolic link.
    pub fn is_symlink(self) -> bool {
        self.format == libc::S_IFLNK
    }

    /// Whether it is a named pipe.
    pub fn is_fifo(self) -> bool {
        self.format == libc::S_IFIFO
    }

    /// Whether it is a socket.
    pub fn is_socket(self) -> bool {
        self.format == libc::S_IFSOCK
    }

    /// Whether it is a disk, or the like.
    pub fn is_block_device(self) -> bool {
        self.format == libc::S_IFBLK
    }

    /// Whether it is a terminal, or the like.
    pub fn is_char_device(self) -> bool {
        self.format == libc::S_IFCHR
    }
}

impl fmt::Debug for FileType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.format {
            libc::S_IFREG => "File",
            libc::S_IFDIR => "Directory",
            libc::S_IFLNK => "Symlink",
            libc::S_IFIFO => "Fifo",
            libc::S_IFSOCK => "Socket",
            libc::S_IFBLK => "BlockDevice",
            libc::S_IFCHR => "CharDevice",
            _ => "Unknown",
        })
    }
}

/// What the file system says of a file, as of the moment it was asked.
#[derive(Clone, Copy)]
pub struct Metadata(libc::statx);

impl From<libc::statx> for Metadata {
    fn from(status: libc::statx) -> Self {
        Self(status)
    }
}

impl Metadata {
    /// What it is.
    pub fn file_type(&self) -> FileType {
        FileType::of_mode(self.mode())
    }

    /// Whether it is a regular file.
    pub fn is_file(&self) -> bool {
        self.file_type().is_file()
    }

    /// Whether it is a directory.
    pub fn is_dir(&self) -> bool {
        self.file_type().is_dir()
    }

    /// Whether it is a symbolic link, as only [`symlink_metadata`](super::symlink_metadata) says.
    pub fn is_symlink(&self) -> bool {
        self.file_type().is_symlink()
    }

    /// How many bytes long it is.
    #[expect(
        clippy::len_without_is_empty,
        reason = "the standard library's has none"
    )]
    pub fn len(&self) -> u64 {
        self.0.stx_size
    }

    /// Who may do what with it.
    pub fn permissions(&self) -> Permissions {
        Permissions::from_mode(self.mode())
    }

    /// When its content was last changed.
    ///
    /// # Errors
    /// `Unsupported` if the file system does not know.
    pub fn modified(&self) -> io::Result<SystemTime> {
        self.time(libc::STATX_MTIME, self.0.stx_mtime)
    }

    /// When it was last read, as far as that is kept.
    ///
    /// # Errors
    /// `Unsupported` if the file system does not know.
    pub fn accessed(&self) -> io::Result<SystemTime> {
        self.time(libc::STATX_ATIME, self.0.stx_atime)
    }

    /// When it was created.
    ///
    /// # Errors
    /// `Unsupported` if the file system does not know.
    pub fn created(&self) -> io::Result<SystemTime> {
        self.time(libc::STATX_BTIME, self.0.stx_btime)
    }

    /// When anything about it was last changed.
    ///
    /// # Errors
    /// `Unsupported` if the file system does not know.
    pub fn changed(&self) -> io::Result<SystemTime> {
        self.time(libc::STATX_CTIME, self.0.stx_ctime)
    }

    fn time(&self, bit: u32, time: libc::statx_timestamp) -> io::Result<SystemTime> {
        if self.0.stx_mask & bit == 0 {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let whole = Duration::from_secs(time.tv_sec.unsigned_abs());
        let second = if time.tv_sec < 0 {
            SystemTime::UNIX_EPOCH.checked_sub(whole)
        } else {
            SystemTime::UNIX_EPOCH.checked_add(whole)
        };
        second
            .and_then(|second| second.checked_add(Duration::from_nanos(time.tv_nsec.into())))
            .ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// Its mode: what it is, and its permissions.
    pub fn mode(&self) -> u32 {
        self.0.stx_mode.into()
    }

    /// Its number in its file system.
    pub fn ino(&self) -> u64 {
        self.0.stx_ino
    }

    /// The number of the device that it is on.
    pub fn dev(&self) -> u64 {
        libc::makedev(self.0.stx_dev_major, self.0.stx_dev_minor)
    }

    /// How many names it has.
    pub fn nlink(&self) -> u64 {
        self.0.stx_nlink.into()
    }

    /// Whose it is.
    pub fn uid(&self) -> u32 {
        self.0.stx_uid
    }

    /// Which group's it is.
    pub fn gid(&self) -> u32 {
        self.0.stx_gid
    }

    /// How many blocks of 512 bytes it takes on its medium.
    pub fn blocks(&self) -> u64 {
        self.0.stx_blocks
    }

    /// How many bytes are best read and written at once.
    pub fn blksize(&self) -> u64 {
        self.0.stx_blksize.into()
    }
}

impl fmt::Debug for Metadata {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Metadata")
            .field("file_type", &self.file_type())
            .field("mode", &format_args!("{:o}", self.mode()))
            .field("len", &self.len())
            .field("modified", &self.modified().ok())
            .finish_non_exhaustive()
    }
}
