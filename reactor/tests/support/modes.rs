//! The rings that kernels of different ages give us, each on a thread of its own: a thread has few places for registered rings.

use reactor::{Capabilities, Feature};
use std::panic::resume_unwind;
use std::sync::OnceLock;
use std::thread;

/// What this kernel has, with nothing left out.
pub(crate) fn all_features() -> Capabilities {
    static PROBED: OnceLock<Capabilities> = OnceLock::new();
    *PROBED.get_or_init(|| Capabilities::probe().expect("these tests need a kernel with io_uring"))
}

/// Each way of completing and of entering, and the features it does without.
const MODES: [(&str, &[Feature]); 10] = [
    ("all features", &[]),
    ("coop, single issuer", &[Feature::DeferTaskrun]),
    ("coop", &[Feature::SingleIssuer, Feature::DeferTaskrun]),
    (
        "plain interrupt",
        &[
            Feature::SingleIssuer,
            Feature::DeferTaskrun,
            Feature::CoopTaskrun,
        ],
    ),
    ("no taskrun flag", &[Feature::TaskrunFlag]),
    (
        "coop, no taskrun flag",
        &[Feature::DeferTaskrun, Feature::TaskrunFlag],
    ),
    ("no registered ring", &[Feature::RegisteredRing]),
    ("no NO_SQARRAY", &[Feature::NoSqArray]),
    ("no SUBMIT_ALL", &[Feature::SubmitAll]),
    (
        "oldest",
        &[
            Feature::SingleIssuer,
            Feature::DeferTaskrun,
            Feature::CoopTaskrun,
            Feature::TaskrunFlag,
            Feature::SubmitAll,
            Feature::NoSqArray,
            Feature::RegisteredRing,
            Feature::NoIowait,
        ],
    ),
];

/// Plays `scenario` in each mode this kernel can be made to show. The thread's name, which a panic prints, says which.
pub(crate) fn in_each_mode(scenario: impl Fn(Capabilities) + Sync) {
    let all = all_features();
    for (name, missing) in MODES {
        let capabilities = missing
            .iter()
            .fold(all, |rest, feature| rest.without(*feature));
        let outcome = thread::scope(|scope| {
            thread::Builder::new()
                .name(name.to_owned())
                .spawn_scoped(scope, || scenario(capabilities))
                .expect("a thread")
                .join()
        });
        if let Err(payload) = outcome {
            resume_unwind(payload);
        }
    }
}
