//! The affinity mask of a thread that was a core, and of what a core starts: what it would be without us, also when the cpuset or the mask was
//! changed meanwhile.

#[path = "support/child.rs"]
mod child;
#[path = "support/cpuset.rs"]
mod cpuset;
#[path = "support/restraint.rs"]
mod restraint;

use child::Child;
use cpuset::Cpuset;
use executor::{Builder, Runtime, spawn_blocking, unpinned};
use restraint::{confine_to, cpus};

/// The first two CPUs of this thread; `None`, with a word, where there are fewer.
fn two_cpus() -> Option<[usize; 2]> {
    let two = cpus().first_chunk().copied();
    if two.is_none() {
        eprintln!("skipped: it needs 2 CPUs");
    }
    two
}

fn enter_cpuset(cpus: &[usize]) -> Option<Cpuset> {
    Cpuset::enter(cpus)
        .inspect_err(|why| eprintln!("skipped: {why}"))
        .ok()
}

fn one_core() -> Runtime {
    Builder::new().cores(1).build().expect("the runtime starts")
}

/// The masks of what a core starts.
async fn started() -> [Vec<usize>; 2] {
    [unpinned(cpus), spawn_blocking(cpus).await.unwrap()]
}

/// The thread sets its mask while it is a core: to another CPU, to all, or within `unpinned`. That is its mask afterwards.
#[test]
fn a_mask_that_was_set_meanwhile_stays() {
    let Some([first, second]) = two_cpus() else {
        return;
    };
    let runtime = one_core();
    let before = cpus();
    runtime.block_on(async { confine_to(&[second]) });
    assert_eq!(cpus(), [second]);

    confine_to(&[first]);
    runtime.block_on(async { confine_to(&before) });
    assert_eq!(cpus(), before);

    runtime.block_on(async {
        unpinned(|| confine_to(&[second]));
        assert_eq!(cpus(), [second]);
    });
    assert_eq!(cpus(), [second]);
}

/// A thread is confined to a part of its cpuset: it is afterwards, and so is what a core starts.
#[test]
fn a_confined_thread_stays_confined() {
    let Some([first, _]) = two_cpus() else { return };
    confine_to(&[first]);
    let runtime = one_core();
    assert_eq!(runtime.block_on(started()), [[first], [first]]);
    assert_eq!(cpus(), [first]);
}

/// The cpuset grows after the runtime was built, and again when it has ended: the thread, and what a core starts, may use all of it.
#[test]
fn a_thread_follows_its_cpuset_when_that_grows() {
    let child = Child::of(|| {
        let Some([first, second]) = two_cpus() else {
            return;
        };
        let Some(cpuset) = enter_cpuset(&[first]) else {
            return;
        };
        let runtime = one_core();
        runtime.block_on(async {
            cpuset.set(&[first, second]);
            assert_eq!(started().await, [[first, second], [first, second]]);
            assert_eq!(cpus(), [first], "it is pinned again");
        });
        assert_eq!(cpus(), [first, second]);
        cpuset.set(&[first]);
        runtime.block_on(async {});
        drop(runtime);
        cpuset.set(&[first, second]);
        assert_eq!(cpus(), [first, second]);
    });
    say(child.run_well());
}

/// The core's CPU is taken out of the cpuset, and comes back when the runtime has ended: the thread may use all of it, first and last.
#[test]
fn a_thread_follows_its_cpuset_when_the_cpu_of_its_core_goes() {
    let child = Child::of(|| {
        let Some([first, second]) = two_cpus() else {
            return;
        };
        let Some(cpuset) = enter_cpuset(&[first, second]) else {
            return;
        };
        let runtime = one_core();
        runtime.block_on(async {
            cpuset.set(&[second]);
            assert_eq!(started().await, [[second], [second]]);
        });
        assert_eq!(cpus(), [second]);
        cpuset.set(&[first, second]);
        assert_eq!(cpus(), [first, second]);
    });
    say(child.run_well());
}

/// The only CPU that a thread is confined to is taken out of the cpuset: it, and what a core starts, may use what is left.
#[test]
fn a_confined_thread_gets_what_is_left_of_its_cpuset() {
    let child = Child::of(|| {
        let Some([first, second]) = two_cpus() else {
            return;
        };
        let Some(cpuset) = enter_cpuset(&[first, second]) else {
            return;
        };
        confine_to(&[first]);
        let runtime = one_core();
        runtime.block_on(async {
            cpuset.set(&[second]);
            assert_eq!(started().await, [[second], [second]]);
        });
        assert_eq!(cpus(), [second]);
    });
    say(child.run_well());
}

/// Why a part was skipped.
fn say(lines: Vec<String>) {
    for line in lines {
        println!("{line}");
    }
}
