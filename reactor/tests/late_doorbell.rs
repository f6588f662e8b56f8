//! A doorbell outlives its reactor, and does not keep the ring. The only test of its binary: it looks at the process's mappings.

mod support;

use reactor::Capabilities;
use support::Core;

fn rings_mapped() -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("there is a /proc");
    maps.lines()
        .filter(|line| line.contains("io_uring"))
        .count()
}

/// A waker is kept when its runtime goes, and rings once more: the ring has gone, with its mappings and the memory it locked, and the store goes
/// nowhere.
#[test]
fn a_late_doorbell_keeps_no_ring() {
    let core = Core::new(Capabilities::probe().expect("io_uring"));
    let Some(doorbell) = core.reactor.doorbell() else {
        return println!("skipped: no word of this kernel's header can be a doorbell");
    };
    assert!(rings_mapped() > 0);
    drop(core);
    assert_eq!(rings_mapped(), 0);
    doorbell.ring();
    drop(doorbell);
    assert_eq!(rings_mapped(), 0);
}
