//! Making a ring, finding out what kind can be made, and saying in plain words why none can.
//!
//! Each optional flag is tried alone, in a small ring, so that a kernel which lacks one still gets all the others.

use crate::buffers::{self, Filling};
use crate::capabilities::{Capabilities, Feature};
use crate::header::HeaderLine;
use crate::sys::{self, Params};
use io_uring::{IoUring, Parameters, Probe, opcode};
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};
use std::time::Duration;
use std::{error, fmt, fs, io, thread};

const SYSCTL: &str = "/proc/sys/kernel/io_uring_disabled";

/// Why no ring can be made. Its text says what to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum SetupError {
    /// `ENOSYS`: the kernel was built without io_uring, is older than 5.1, or a sandbox hides it.
    NotImplemented {
        /// The system call.
        step: &'static str,
    },
    /// `EPERM`, and the `kernel.io_uring_disabled` setting, whose value this is, explains it.
    Disabled(u8),
    /// `EPERM` or `EACCES`, though the setting allows it: a seccomp filter, as container engines install.
    Refused {
        /// The system call.
        step: &'static str,
        /// What the kernel answered.
        errno: &'static str,
    },
    /// `ENOMEM`: the locked-memory limit (bytes, `None` is unlimited), a memory limit, or no memory.
    NoMemory {
        /// `RLIMIT_MEMLOCK` of this process.
        locked_limit_bytes: Option<u64>,
    },
    /// `EMFILE` or `ENFILE`: no file descriptor is left for the ring.
    NoDescriptors,
    /// The kernel has io_uring, but lacks something that nothing can replace.
    KernelTooOld {
        /// What is missing, and the first kernel that has it.
        missing: &'static str,
    },
    /// Anything else.
    Other {
        /// What was being done.
        step: &'static str,
        /// What the kernel answered.
        error: io::Error,
    },
}

impl SetupError {
    fn from_io(step: &'static str, error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(libc::ENOSYS) => Self::NotImplemented { step },
            Some(code @ (libc::EPERM | libc::EACCES)) => match sysctl() {
                Some(value @ 1..) => Self::Disabled(value),
                _ => Self::Refused {
                    step,
                    errno: if code == libc::EPERM {
                        "EPERM"
                    } else {
                        "EACCES"
                    },
                },
            },
            Some(libc::ENOMEM) => Self::NoMemory {
                locked_limit_bytes: rustix::process::getrlimit(rustix::process::Resource::Memlock)
                    .current,
            },
            Some(libc::EMFILE | libc::ENFILE) => Self::NoDescriptors,
            _ => Self::Other { step, error },
        }
    }
}

fn sysctl() -> Option<u8> {
    fs::read_to_string(SYSCTL).ok()?.trim().parse().ok()
}

impl fmt::Display for SetupError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotImplemented { step } => write!(
                formatter,
                "this kernel has no io_uring ({step}: ENOSYS). Linux 5.13 or later, built with CONFIG_IO_URING, is needed; \
                 in a sandbox such as gVisor, or under a seccomp filter that answers ENOSYS, allow io_uring_setup, io_uring_enter \
                 and io_uring_register"
            ),
            Self::Disabled(value) => write!(
                formatter,
                "io_uring is switched off on this machine (io_uring_setup: EPERM; kernel.io_uring_disabled is {value}). As root: \
                 sysctl kernel.io_uring_disabled=0{}",
                if *value == 1 {
                    ", or run as a member of the group that kernel.io_uring_group names"
                } else {
                    ""
                }
            ),
            Self::Refused { step, errno } => write!(
                formatter,
                "io_uring is refused ({step}: {errno}), though kernel.io_uring_disabled does not say so: most likely a seccomp \
                 filter, as container engines install by default. Allow io_uring_setup, io_uring_enter and io_uring_register in the \
                 container's seccomp profile, or run it with seccomp=unconfined"
            ),
            Self::NoMemory { locked_limit_bytes } => {
                write!(
                    formatter,
                    "the kernel has no memory for a ring (ENOMEM). The limit on locked memory is "
                )?;
                match locked_limit_bytes {
                    Some(bytes) => write!(formatter, "{} KiB", bytes / 1024)?,
                    None => write!(formatter, "unlimited")?,
                }
                write!(
                    formatter,
                    ". Kernels before 5.12, and again late ones (seen on 6.18), count rings against it, some 90 KiB for each core, for \
                     all processes of the user together: raise it (ulimit -l, or LimitMEMLOCK= of a service). Otherwise raise the \
                     limit on address space (ulimit -v) or the control group's memory, or ask for fewer cores"
                )
            }
            Self::NoDescriptors => write!(
                formatter,
                "no file descriptor is left for a ring (EMFILE). Each core needs two: raise the limit (ulimit -n, or LimitNOFILE= \
                 of a service), or ask for fewer cores"
            ),
            Self::KernelTooOld { missing } => write!(
                formatter,
                "this kernel's io_uring is too old: it lacks {missing}. Linux 5.13 or later is needed, 6.1 or later recommended"
            ),
            Self::Other { step, error } => {
                write!(formatter, "setting up io_uring failed at {step}: {error}")
            }
        }
    }
}

impl error::Error for SetupError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            // Its own text is part of ours.
            Self::Other { error, .. } => error.source(),
            _ => None,
        }
    }
}

impl Capabilities {
    /// Finds out, with a few rings that are closed again at once.
    ///
    /// # Errors
    /// Says why no ring can be made here at all, and what to do about it.
    pub fn probe() -> Result<Self, SetupError> {
        let features = probe_features()?;
        let capabilities = features.into_iter().fold(Self::NONE, Self::with_feature);
        crate::log!(debug, %capabilities, "io_uring probed");
        Ok(capabilities)
    }
}

/// Which features this kernel has.
fn probe_features() -> Result<Vec<Feature>, SetupError> {
    // The first ring of a thread sets how many workers the kernel has for it, from the ring's size, and before 5.15 nothing changes that later. The
    // kernel takes four for each CPU at most, so this is enough; and each queue takes a page, as that of the smallest ring.
    const FIRST_ENTRIES: u32 = 64;
    let (ring, header) = build(0, FIRST_ENTRIES, FIRST_ENTRIES)?;
    // A filter may refuse this one alone.
    sys::enter(ring.as_raw_fd(), 0, 0, 0, None).map_err(|code| {
        SetupError::from_io("io_uring_enter", io::Error::from_raw_os_error(code))
    })?;
    require_basics(&ring)?;
    let mut found = Vec::new();
    if header.is_one_line() {
        found.push(Feature::OneLineHeader);
    }
    if ring.params().is_feature_no_iowait() {
        found.push(Feature::NoIowait);
    }
    if let Ok(index) = sys::register_ring_fd(ring.as_raw_fd()) {
        sys::unregister_ring_fd(ring.as_raw_fd(), index)
            .map_err(|error| SetupError::from_io("io_uring_register", error))?;
        found.push(Feature::RegisteredRing);
    }
    let operations = probe_operations(&ring)?;
    // Nothing reports multishot accept itself; IORING_OP_SOCKET came in the same release.
    if operations.is_supported(opcode::Socket::CODE) {
        found.push(Feature::MultishotAccept);
    }
    // Nor multishot receive; zero-copy send came with it.
    if operations.is_supported(opcode::SendZc::CODE) {
        found.extend([Feature::MultishotReceive, Feature::ZeroCopySend]);
    }
    if [
        opcode::MkDirAt::CODE,
        opcode::SymlinkAt::CODE,
        opcode::LinkAt::CODE,
    ]
    .into_iter()
    .all(|code| operations.is_supported(code))
    {
        found.push(Feature::PathOperations);
    }
    if operations.is_supported(opcode::Ftruncate::CODE) {
        found.push(Feature::Truncate);
    }
    if buffers::are_supported(&ring.submitter(), Filling::Whole) {
        found.push(Feature::BufferRings);
    }
    if buffers::are_supported(&ring.submitter(), Filling::Incremental) {
        found.push(Feature::IncrementalBuffers);
    }
    if buffers::can_be_registered(&ring.submitter()) {
        found.push(Feature::RegisteredBuffers);
    }
    if ring
        .submitter()
        .register_iowq_max_workers(&mut [0; 2])
        .is_ok()
    {
        found.push(Feature::WorkerLimits);
    }
    let flags = [
        (Feature::SubmitAll, sys::SETUP_SUBMIT_ALL),
        (Feature::CoopTaskrun, sys::SETUP_COOP_TASKRUN),
        (
            Feature::TaskrunFlag,
            sys::SETUP_COOP_TASKRUN | sys::SETUP_TASKRUN_FLAG,
        ),
        (Feature::SingleIssuer, sys::SETUP_SINGLE_ISSUER),
        (
            Feature::DeferTaskrun,
            sys::SETUP_SINGLE_ISSUER | sys::SETUP_DEFER_TASKRUN,
        ),
        (Feature::NoSqArray, sys::SETUP_NO_SQARRAY),
    ];
    for (feature, flag) in flags {
        match setup(flag, 2, 4) {
            Ok(_) => found.push(feature),
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {}
            Err(error) => return Err(SetupError::from_io("probing setup flags", error)),
        }
    }
    Ok(found)
}

/// What nothing can replace: completions are never dropped, waits have a time-out, polls may be multishot, the operations exist.
fn require_basics(ring: &IoUring) -> Result<(), SetupError> {
    let params = ring.params();
    let required = [
        (
            params.is_feature_single_mmap(),
            "a single mapping (SINGLE_MMAP, first in 5.4)",
        ),
        (
            params.is_feature_nodrop(),
            "lossless completions (NODROP, first in 5.5)",
        ),
        (
            params.is_feature_ext_arg(),
            "waits with a time-out (EXT_ARG, first in 5.11)",
        ),
        // No bit says "multishot poll"; RSRC_TAGS came in the same release.
        (
            params.is_feature_resource_tagging(),
            "multishot poll (first in 5.13)",
        ),
    ];
    if let Some((_, missing)) = required.iter().find(|(has, _)| !has) {
        return Err(SetupError::KernelTooOld { missing });
    }
    let operations = probe_operations(ring)?;
    let required = [
        (opcode::Accept::CODE, "the accept operation (first in 5.5)"),
        (
            opcode::Connect::CODE,
            "the connect operation (first in 5.5)",
        ),
        (
            opcode::AsyncCancel::CODE,
            "the cancel operation (first in 5.5)",
        ),
        (opcode::Send::CODE, "the send operation (first in 5.6)"),
        (opcode::Recv::CODE, "the recv operation (first in 5.6)"),
        (
            opcode::Shutdown::CODE,
            "the shutdown operation (first in 5.11)",
        ),
    ];
    match required
        .iter()
        .find(|(code, _)| !operations.is_supported(*code))
    {
        Some((_, missing)) => Err(SetupError::KernelTooOld { missing }),
        None => Ok(()),
    }
}

fn probe_operations(ring: &IoUring) -> Result<Probe, SetupError> {
    let mut probe = Probe::new();
    ring.submitter()
        .register_probe(&mut probe)
        .map_err(|error| SetupError::from_io("asking for the list of operations", error))?;
    Ok(probe)
}

/// Makes a ring, with some patience where there is no memory: what rings that were just closed had locked, those by which we find out what the
/// kernel has and the one that did not get all of its memory, a worker of the kernel gives back a moment later.
fn setup(flags: u32, sq_entries: u32, cq_entries: u32) -> io::Result<(OwnedFd, Params)> {
    const PAUSES: u32 = 3;
    const PAUSE: Duration = Duration::from_millis(10);
    for _ in 0..PAUSES {
        match setup_now(flags, sq_entries, cq_entries) {
            Err(error) if error.raw_os_error() == Some(libc::ENOMEM) => thread::sleep(PAUSE),
            result => return result,
        }
    }
    setup_now(flags, sq_entries, cq_entries)
}

fn setup_now(flags: u32, sq_entries: u32, cq_entries: u32) -> io::Result<(OwnedFd, Params)> {
    let mut params = Params {
        flags: flags | sys::SETUP_CQSIZE | sys::SETUP_CLAMP,
        cq_entries,
        ..Params::default()
    };
    let fd = sys::setup(sq_entries, &mut params)?;
    Ok((fd, params))
}

/// Makes a ring with these flags and maps its header.
fn build(
    flags: u32,
    sq_entries: u32,
    cq_entries: u32,
) -> Result<(IoUring, HeaderLine), SetupError> {
    let (fd, params) = setup(flags, sq_entries, cq_entries)
        .map_err(|error| SetupError::from_io("io_uring_setup", error))?;
    if params.features & sys::FEATURE_SINGLE_MMAP == 0 {
        return Err(SetupError::KernelTooOld {
            missing: "a single mapping (SINGLE_MMAP, first in 5.4)",
        });
    }
    let header = HeaderLine::map(&fd, &params)
        .map_err(|error| SetupError::from_io("mapping the ring's header", error))?;
    // SAFETY: `Parameters` is a transparent wrapper of io_uring_params, of which `Params` is the same layout, as the size check
    // below and the crate's own documentation say; any bit pattern is a valid value.
    let parameters = unsafe { std::mem::transmute::<Params, Parameters>(params) };
    // SAFETY: the descriptor is a ring of ours that nobody else closes, and the parameters are what the kernel returned for it.
    let ring = unsafe { IoUring::from_fd(fd.into_raw_fd(), parameters) }
        .map_err(|error| SetupError::from_io("mapping the ring", error))?;
    Ok((ring, header))
}

const _: () = assert!(size_of::<Params>() == 120);

/// Makes a ring as `capabilities` say. Sizes are rounded up to powers of two, and down to what the kernel allows; and where it has no memory
/// for so many, as it may say of a machine with many cores and little memory that may be locked, to what it has, down to an eighth.
pub(crate) fn ring(
    capabilities: Capabilities,
    sq_entries: u32,
    cq_entries: u32,
) -> Result<(IoUring, HeaderLine), SetupError> {
    let flags = capabilities.setup_flags();
    let mut refusal = None;
    for smaller in [1, 2, 4, 8] {
        let smaller_cq = cq_entries / smaller;
        if smaller > 1 && smaller_cq < sq_entries {
            break;
        }
        match build(flags, sq_entries, smaller_cq) {
            Err(error @ SetupError::NoMemory { .. }) => {
                refusal.get_or_insert(error);
            }
            Ok(made) => {
                if let Some(refusal) = refusal {
                    crate::log!(
                        info,
                        smaller_cq,
                        "a smaller ring, for want of memory: {refusal}"
                    );
                }
                return Ok(made);
            }
            failed => return failed,
        }
    }
    Err(refusal.expect("no size was had"))
}
