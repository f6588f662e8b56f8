//! Kernels that lack features, by masking them: a runtime starts, says so, and works.

#[path = "support/child.rs"]
mod child;
#[path = "support/exercise.rs"]
mod exercise;
#[path = "support/log.rs"]
mod log;
#[path = "support/restraint.rs"]
mod restraint;

use child::Child;
use executor::Feature;
use exercise::works_without;

/// In a process of its own: nothing else may log at the same time, or hang for ever if this does.
#[test]
fn each_optional_feature_can_be_done_without() {
    let child = Child::of(|| {
        for feature in Feature::all() {
            works_without(&[feature]);
        }
    });
    child.run_well();
}

#[test]
fn it_works_without_any_optional_feature() {
    let child = Child::of(|| {
        works_without(&Feature::all().collect::<Vec<_>>());
    });
    child.run_well();
}

/// As on 5.19 and 6.0.
#[test]
fn it_works_where_completions_come_at_the_next_system_call() {
    let child = Child::of(|| {
        for also in [None, Some(Feature::SingleIssuer)] {
            let masked = also.into_iter().chain([Feature::DeferTaskrun]);
            let started = works_without(&masked.collect::<Vec<_>>());
            assert!(started.contains("completions at the owner's next system call"));
        }
    });
    child.run_well();
}

/// As before 5.19, and where the kernel does not say in the ring that completions wait.
#[test]
fn it_works_where_completions_interrupt() {
    let child = Child::of(|| {
        let started = works_without(&[Feature::TaskrunFlag]);
        assert!(started.contains("completions by interrupting the owner"));
        for also in [
            None,
            Some(Feature::SingleIssuer),
            Some(Feature::TaskrunFlag),
        ] {
            let masked = also
                .into_iter()
                .chain([Feature::DeferTaskrun, Feature::CoopTaskrun]);
            let started = works_without(&masked.collect::<Vec<_>>());
            assert!(started.contains("completions by interrupting the owner"));
        }
    });
    child.run_well();
}
