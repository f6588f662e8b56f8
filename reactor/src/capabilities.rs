//! What the kernel's io_uring has, and what follows for us: found once, by trying, and kept as one value that can be printed.
//!
//! Features are asked for, one setup call or probe each; version strings are never compared. Whoever holds a [`Capabilities`] has
//! the proof that a ring with the flags chosen here can be made here. Nobody asks the kernel again.

#![forbid(unsafe_code)]

use crate::sys;
use std::fmt;

/// Something a kernel's io_uring may have or lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[non_exhaustive]
pub enum Feature {
    /// The ring promises that one thread alone submits.
    SingleIssuer,
    /// Completions are prepared only when the owner enters the kernel.
    DeferTaskrun,
    /// Completions do not interrupt the owner.
    CoopTaskrun,
    /// The kernel says in `sq_flags` that completions wait to be prepared.
    TaskrunFlag,
    /// A bad submission does not stop the ones behind it.
    SubmitAll,
    /// Submissions are taken in order, without an index array.
    NoSqArray,
    /// The ring is entered by a registered index rather than its descriptor.
    RegisteredRing,
    /// A core blocked in its ring is not counted as waiting for a disk.
    NoIowait,
    /// One submission accepts any number of connections.
    MultishotAccept,
    /// `cq.tail`, `sq_flags` and `cq_flags` are on one 64-byte line.
    OneLineHeader,
    /// The kernel takes receive buffers from a ring shared with us.
    BufferRings,
    /// It fills such a buffer bit by bit.
    IncrementalBuffers,
    /// One submission receives any number of times, into such buffers.
    MultishotReceive,
    /// A socket sends from our memory, and says when it is done with it.
    ZeroCopySend,
    /// Directories and links are made by submissions.
    PathOperations,
    /// A file's length is set by a submission.
    Truncate,
    /// The kernel has a table of memory that it need not look up for each transfer.
    RegisteredBuffers,
    /// The number of the kernel's worker threads can be limited.
    WorkerLimits,
}

/// One row of what is printed: the feature, the kernel that first had it, what its lack costs here.
struct Entry {
    feature: Feature,
    name: &'static str,
    first_kernel: &'static str,
    cost_of_lack: &'static str,
}

const fn entry(
    feature: Feature,
    name: &'static str,
    first_kernel: &'static str,
    cost_of_lack: &'static str,
) -> Entry {
    Entry {
        feature,
        name,
        first_kernel,
        cost_of_lack,
    }
}

/// First kernels as in the kernel's own history of `include/uapi/linux/io_uring.h`.
const FEATURES: [Entry; 18] = [
    entry(
        Feature::SingleIssuer,
        "SINGLE_ISSUER",
        "6.0",
        "the kernel locks the ring on each enter, and DEFER_TASKRUN cannot be used",
    ),
    entry(
        Feature::DeferTaskrun,
        "DEFER_TASKRUN",
        "6.1",
        "completions are prepared at any system call of the core, less cache-friendly batches",
    ),
    entry(
        Feature::CoopTaskrun,
        "COOP_TASKRUN",
        "5.19",
        "without DEFER_TASKRUN as well, each completion interrupts the core",
    ),
    entry(
        Feature::TaskrunFlag,
        "TASKRUN_FLAG",
        "5.19",
        "the core cannot be told of completions quietly, so each interrupts it",
    ),
    entry(
        Feature::SubmitAll,
        "SUBMIT_ALL",
        "5.18",
        "a failed submission ends its batch, which takes one more enter",
    ),
    entry(
        Feature::NoSqArray,
        "NO_SQARRAY",
        "6.6",
        "one more cache line for each submission",
    ),
    entry(
        Feature::RegisteredRing,
        "registered ring descriptor",
        "5.18",
        "each enter looks the ring's descriptor up",
    ),
    entry(
        Feature::NoIowait,
        "NO_IOWAIT",
        "6.15",
        "idle cores are shown as waiting for I/O in the system's load figures",
    ),
    entry(
        Feature::MultishotAccept,
        "multishot accept",
        "5.19",
        "a listener submits one accept for each connection",
    ),
    entry(
        Feature::OneLineHeader,
        "one-line ring header",
        "6.6",
        "completions that interrupt the core show on a line with no word to ring by: no Monitoring state there",
    ),
    entry(
        Feature::BufferRings,
        "provided-buffer rings",
        "5.19",
        "receiving into a pool takes a peek and a receive each time",
    ),
    entry(
        Feature::IncrementalBuffers,
        "incremental buffers",
        "6.12",
        "each receive takes a whole buffer of its pool, however little came",
    ),
    entry(
        Feature::MultishotReceive,
        "multishot receive",
        "6.0",
        "receiving into a pool takes a peek and a receive each time",
    ),
    entry(
        Feature::ZeroCopySend,
        "zero-copy send",
        "6.0",
        "a send that asks for it copies all the same",
    ),
    entry(
        Feature::PathOperations,
        "directories and links",
        "5.15",
        "they are made by a thread that may block",
    ),
    entry(
        Feature::Truncate,
        "truncate",
        "6.9",
        "the length of a file is set by a thread that may block",
    ),
    entry(
        Feature::RegisteredBuffers,
        "registered buffers",
        "5.19",
        "each transfer past the kernel's cache looks its pages up and pins them, registered or not",
    ),
    entry(
        Feature::WorkerLimits,
        "limits of worker threads",
        "5.15",
        "the kernel chooses how many workers a core has for files, and an open that waits takes one of them",
    ),
];

impl Feature {
    const fn bit(self) -> u32 {
        1 << self as u32
    }

    /// Every feature that is looked for, in the order they are printed.
    pub fn all() -> impl Iterator<Item = Self> {
        FEATURES.iter().map(|entry| entry.feature)
    }

    fn entry(self) -> &'static Entry {
        FEATURES
            .iter()
            .find(|entry| entry.feature == self)
            .expect("every feature has an entry in FEATURES")
    }

    /// The kernel's own name for it.
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// The first released kernel that has it, for people: the code never compares versions.
    pub fn first_kernel(self) -> &'static str {
        self.entry().first_kernel
    }

    /// What it costs this reactor where it is missing.
    pub fn cost_of_lack(self) -> &'static str {
        self.entry().cost_of_lack
    }
}

/// What this kernel has and what was chosen. Copy it freely; it is the proof that rings can be made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    features: u32,
}

impl Capabilities {
    pub(crate) const NONE: Self = Self { features: 0 };

    pub(crate) fn with_feature(self, feature: Feature) -> Self {
        Self {
            features: self.features | feature.bit(),
        }
    }

    /// The same, as if the kernel lacked `feature`: to run as on an older kernel in a test, or to step around a kernel's bug.
    #[must_use]
    pub fn without(self, feature: Feature) -> Self {
        Self {
            features: self.features & !feature.bit(),
        }
    }

    /// Whether the kernel has it.
    pub fn has(self, feature: Feature) -> bool {
        self.features & feature.bit() != 0
    }

    /// What is missing here, with what it costs.
    pub fn missing(self) -> impl Iterator<Item = Feature> {
        Feature::all().filter(move |feature| !self.has(*feature))
    }

    /// Whether completions are prepared only inside an enter of the owner, which the kernel asks for in `sq_flags`. Without that flag
    /// a busy owner would not know when to enter, so then they are not deferred.
    pub fn defers_taskrun(self) -> bool {
        self.has(Feature::SingleIssuer)
            && self.has(Feature::DeferTaskrun)
            && self.has(Feature::TaskrunFlag)
    }

    /// Whether completions wait for the owner's next system call, which the kernel asks for in `sq_flags`. Without that flag an owner that spins
    /// would not know, so then it is interrupted.
    fn cooperates(self) -> bool {
        self.has(Feature::CoopTaskrun) && self.has(Feature::TaskrunFlag)
    }

    /// Whether the kernel says in `sq_flags` that there are completions, before it moves the queue's tail.
    pub(crate) fn shows_completions_by_flag(self) -> bool {
        self.defers_taskrun() || self.cooperates()
    }

    /// How the kernel brings completions to the owner, in words.
    pub fn completion_mode(self) -> &'static str {
        match (self.defers_taskrun(), self.cooperates()) {
            (true, _) => "deferred to the owner's next enter",
            (false, true) => "at the owner's next system call",
            (false, false) => "by interrupting the owner",
        }
    }

    /// The flags every ring of this runtime is set up with.
    pub(crate) fn setup_flags(self) -> u32 {
        let mut flags = 0;
        if self.has(Feature::SingleIssuer) {
            flags |= sys::SETUP_SINGLE_ISSUER;
        }
        if self.defers_taskrun() {
            flags |= sys::SETUP_DEFER_TASKRUN;
        } else if self.cooperates() {
            flags |= sys::SETUP_COOP_TASKRUN;
        }
        // The kernel accepts TASKRUN_FLAG only beside one of these two, and neither is good without it.
        if self.shows_completions_by_flag() {
            flags |= sys::SETUP_TASKRUN_FLAG;
        }
        if self.has(Feature::SubmitAll) {
            flags |= sys::SETUP_SUBMIT_ALL;
        }
        if self.has(Feature::NoSqArray) {
            flags |= sys::SETUP_NO_SQARRAY;
        }
        flags
    }
}

impl fmt::Display for Capabilities {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "completions {}; has", self.completion_mode())?;
        for feature in Feature::all().filter(|feature| self.has(*feature)) {
            write!(formatter, " [{}]", feature.name())?;
        }
        for feature in self.missing() {
            write!(
                formatter,
                "; lacks {} (first in {}): {}",
                feature.name(),
                feature.first_kernel(),
                feature.cost_of_lack()
            )?;
        }
        Ok(())
    }
}

impl fmt::Debug for Capabilities {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}
