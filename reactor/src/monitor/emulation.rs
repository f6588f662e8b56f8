//! UMONITOR and UMWAIT in software, for machines without them: the very code that would run on a processor with WAITPKG runs here.
//!
//! Under `--cfg emulate_waitpkg` only. The processor answers either instruction with #UD, the kernel with SIGILL, and the handler does
//! what the instruction would: arm by a snapshot of the line, wait until the line differs, the deadline has come, or the system's limit
//! is reached. Two things it cannot do: see a store that does not change the line, and end at an interrupt. Order and outcome can be
//! tested this way; time cannot.
//!
//! The limit mends what a lost doorbell breaks: after some 50 µs the core looks again. So whoever tests that none is lost sets `UMWAIT_MAX_TIME` in the
//! environment to 0, as one would in /sys/devices/system/cpu/umwait_control/max_time: then there is no limit.

use std::arch::x86_64::_rdtsc;
use std::cell::Cell;
use std::env;
use std::ptr;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

const LINE_BYTES: usize = 64;
const LINE_WORDS: usize = LINE_BYTES / 8;
/// Linux's default for IA32_UMWAIT_CONTROL, in ticks.
const SYSTEM_LIMIT_TICKS: u64 = 100_000;
/// Where `UMWAIT_MAX_TIME` has another, in ticks; 0 is none.
const LIMIT_VARIABLE: &str = "UMWAIT_MAX_TIME";
/// The limit of this process, in ticks. Set before any wait, and read by the handler. Relaxed: whoever can wait has installed it.
static LIMIT_TICKS: AtomicU64 = AtomicU64::new(SYSTEM_LIMIT_TICKS);

/// Flags that UMWAIT clears: OF, SF, ZF, AF, PF, and CF, which it sets if the system's limit ended it.
const CLEARED_FLAGS: i64 = 0x8d5;
const CARRY_FLAG: i64 = 1;

#[derive(Clone, Copy)]
struct Armed {
    line: *const AtomicU64,
    snapshot: [u64; LINE_WORDS],
}

thread_local! {
    /// A handler may use it: it is constant-initialised and has no destructor.
    static ARMED: Cell<Option<Armed>> = const { Cell::new(None) };
}

/// One of the two instructions, as found at the place of the fault.
enum Instruction {
    /// The register that holds the address.
    Umonitor(usize),
    /// The register that holds the state to wait in.
    Umwait(usize),
}

/// Installs the handler, once in a process. Any other illegal instruction ends the process, as it would without.
pub(super) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if let Ok(limit) = env::var(LIMIT_VARIABLE) {
            let ticks = match limit.parse() {
                Ok(0) => u64::MAX,
                Ok(ticks) => ticks,
                Err(error) => panic!("{LIMIT_VARIABLE}={limit}: {error}"),
            };
            LIMIT_TICKS.store(ticks, Ordering::Relaxed);
        }
        // SAFETY: a zeroed sigaction is a valid one, to be filled in.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        action.sa_sigaction = handle as *const () as usize;
        // On the thread's own stack: most of a core's time is spent in this handler, other signals come meanwhile, and an alternate stack has
        // no room for their frames.
        action.sa_flags = libc::SA_SIGINFO;
        // SAFETY: `handle` has the signature that SA_SIGINFO asks for, and does only what a handler may.
        let result = unsafe { libc::sigaction(libc::SIGILL, &raw const action, ptr::null_mut()) };
        assert_eq!(result, 0, "SIGILL can be handled");
    });
}

extern "C" fn handle(_: libc::c_int, _: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: with SA_SIGINFO the kernel passes the interrupted thread's context, which is ours to change.
    let registers = unsafe { &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs };
    let at = registers[libc::REG_RIP as usize] as *const u8;
    // SAFETY: the processor has just fetched an instruction there; ours are no longer than what is read before it is recognised.
    let Some((instruction, length)) = (unsafe { decode(at) }) else {
        // Not one of ours: let it be what it was without us.
        // SAFETY: restoring the default is always allowed; returning executes the instruction again.
        unsafe { libc::signal(libc::SIGILL, libc::SIG_DFL) };
        return;
    };
    match instruction {
        Instruction::Umonitor(register) => arm(registers[register] as usize),
        Instruction::Umwait(register) => {
            assert!(registers[register] & !1 == 0, "other states fault");
            let low = registers[libc::REG_RAX as usize] as u32;
            let high = registers[libc::REG_RDX as usize] as u32;
            let limit_ended_it = wait(u64::from(high) << 32 | u64::from(low));
            let flags = &mut registers[libc::REG_EFL as usize];
            *flags &= !CLEARED_FLAGS;
            *flags |= if limit_ended_it { CARRY_FLAG } else { 0 };
        }
    }
    registers[libc::REG_RIP as usize] += length;
}

fn arm(address: usize) {
    let line = (address & !(LINE_BYTES - 1)) as *const AtomicU64;
    ARMED.set(Some(Armed {
        line,
        snapshot: snapshot(line),
    }));
}

fn snapshot(line: *const AtomicU64) -> [u64; LINE_WORDS] {
    // SAFETY: UMONITOR is given a live address, so its whole line is mapped; it is read atomically, as others may write.
    std::array::from_fn(|index| unsafe { &*line.add(index) }.load(Ordering::Acquire))
}

/// True if the system's limit ended it.
fn wait(deadline: u64) -> bool {
    let Some(armed) = ARMED.take() else {
        return false;
    };
    // SAFETY: every x86-64 processor has it.
    let now = || unsafe { _rdtsc() };
    let (start, limit) = (now(), LIMIT_TICKS.load(Ordering::Relaxed));
    while snapshot(armed.line) == armed.snapshot {
        let time = now();
        if time >= deadline {
            return false;
        }
        if time - start >= limit {
            return true;
        }
        std::hint::spin_loop();
    }
    false
}

/// Recognises `F3 [REX] 0F AE /6` (UMONITOR) and `F2 [REX] 0F AE /6` (UMWAIT), with a register operand; and their length.
///
/// # Safety
/// The bytes of an instruction can be read at `at`.
unsafe fn decode(at: *const u8) -> Option<(Instruction, i64)> {
    // SAFETY: by the caller's word; each byte is read only if those before it fit.
    let byte = |index: usize| unsafe { at.add(index).read() };
    let prefix = byte(0);
    if prefix != 0xf2 && prefix != 0xf3 {
        return None;
    }
    let rex = byte(1) & 0xf0 == 0x40;
    let extension = if rex {
        usize::from(byte(1) & 1) << 3
    } else {
        0
    };
    let opcode = 1 + usize::from(rex);
    if byte(opcode) != 0x0f || byte(opcode + 1) != 0xae {
        return None;
    }
    let operand = byte(opcode + 2);
    if operand >> 6 != 3 || operand >> 3 & 7 != 6 {
        return None;
    }
    let register = REGISTERS[usize::from(operand & 7) | extension] as usize;
    let instruction = if prefix == 0xf3 {
        Instruction::Umonitor(register)
    } else {
        Instruction::Umwait(register)
    };
    Some((instruction, opcode as i64 + 3))
}

/// The processor's numbers of the registers, as places in the context.
const REGISTERS: [i32; 16] = [
    libc::REG_RAX,
    libc::REG_RCX,
    libc::REG_RDX,
    libc::REG_RBX,
    libc::REG_RSP,
    libc::REG_RBP,
    libc::REG_RSI,
    libc::REG_RDI,
    libc::REG_R8,
    libc::REG_R9,
    libc::REG_R10,
    libc::REG_R11,
    libc::REG_R12,
    libc::REG_R13,
    libc::REG_R14,
    libc::REG_R15,
];
