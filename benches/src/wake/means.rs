//! What a core can be woken with here: the instruction that watches a line, and the word that is stored to end it.

use std::fmt;
use std::io;
use std::sync::Arc;

use reactor::doorbell::Word;
use reactor::monitor::Monitor;
use reactor::{Capabilities, KernelWake, Reactor};

pub(super) struct Means {
    instruction: Option<Monitor>,
    doorbell: Option<Word>,
}

impl Means {
    /// Asks the processor, and a ring made for it, as a runtime does when it starts.
    pub(super) fn find() -> io::Result<Self> {
        let capabilities = Capabilities::probe().map_err(io::Error::other)?;
        let wake = Arc::new(KernelWake::new()?);
        let reactor = Reactor::new(capabilities, wake).map_err(io::Error::other)?;
        Ok(Means {
            instruction: Monitor::detect(),
            doorbell: reactor.doorbell().map(|doorbell| doorbell.kind()),
        })
    }

    pub(super) fn can_monitor(&self) -> bool {
        self.instruction.is_some() && self.doorbell.is_some()
    }

    pub(super) fn instruction(&self) -> String {
        self.instruction.map_or(
            String::from(
                "none (neither WAITPKG nor MONITORX is shown by the processor or its hypervisor)",
            ),
            |monitor| monitor.to_string(),
        )
    }

    pub(super) fn doorbell(&self) -> String {
        self.doorbell.map_or(
            String::from("none (no word of the ring can be stored to)"),
            |word| word.to_string(),
        )
    }
}

impl fmt::Display for Means {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "instruction: {}; doorbell: {}",
            self.instruction(),
            self.doorbell()
        )
    }
}
