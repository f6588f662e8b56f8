//! A runtime that cannot start says what is wrong and what to do about it, and leaves nothing behind; one on fewer CPUs starts.
//!
//! Nothing is made believe: each condition is produced, in a process of its own where it cannot be undone (see [`child`]).

#[path = "support/child.rs"]
mod child;
#[path = "support/footprint.rs"]
mod footprint;
#[path = "support/restraint.rs"]
mod restraint;
#[path = "support/ring_places.rs"]
mod ring_places;

use child::Child;
use executor::{Builder, SetupError, StartError};
use footprint::Footprint;
use restraint::Sysctl;
use rustix::process::Resource;
use rustix::thread::sched_getcpu;
use std::rc::Rc;

/// Skips the rest of a test, saying why.
macro_rules! skip {
    ($($why:tt)*) => {
        return eprintln!("skipped: {}", format_args!($($why)*))
    };
}

/// Tries to start, says how it went, variant and text, and sees that a failure left nothing behind.
fn report(builder: Builder) {
    let before = Footprint::now();
    match builder.build() {
        Ok(runtime) => eprintln!("started, cores: {}", runtime.handle().cores()),
        Err(error) => {
            eprintln!("{}\n{error}", variant(&error));
            before.assert_restored();
        }
    }
}

/// The variant with what it holds. The error's own `Debug` shows its text.
fn variant(error: &StartError) -> String {
    match error {
        StartError::Ring(error) => format!("Ring({error:?})"),
        StartError::NotEnoughCpus { asked, allowed } => {
            format!("NotEnoughCpus {{ asked: {asked}, allowed: {allowed:?} }}")
        }
        StartError::Thread { core, error } => {
            format!("Thread {{ core: {core}, error: {error:?} }}")
        }
        StartError::CpuNotAllowed { cpu, allowed } => {
            format!("CpuNotAllowed {{ cpu: {cpu}, allowed: {allowed:?} }}")
        }
        StartError::CpuTwice(cpu) => format!("CpuTwice({cpu})"),
        StartError::CpusForCores { cores, cpus } => {
            format!("CpusForCores {{ cores: {cores}, cpus: {cpus:?} }}")
        }
        StartError::NoCores => "NoCores".to_owned(),
        other => format!("{other:?}"),
    }
}

#[track_caller]
fn assert_mentions(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} is not in: {text}");
    }
}

// ---- The kernel refuses ----

#[test]
fn a_kernel_without_io_uring_is_told_from_one_that_refuses() {
    let child = Child::of(|| {
        restraint::deny(libc::SYS_io_uring_setup, libc::ENOSYS);
        report(Builder::new().cores(1));
    });
    let said = child.run_well();
    assert_eq!(
        said[0],
        r#"Ring(NotImplemented { step: "io_uring_setup" })"#
    );
    assert_mentions(
        &said[1],
        &[
            "no io_uring",
            "ENOSYS",
            "5.13",
            "CONFIG_IO_URING",
            "sandbox",
        ],
    );
}

/// As container engines do it.
#[test]
fn a_seccomp_filter_that_answers_eperm_is_named_and_what_to_allow() {
    let child = Child::of(|| {
        restraint::deny(libc::SYS_io_uring_setup, libc::EPERM);
        report(Builder::new().cores(1));
    });
    // With the setting at 1 that would be the likelier cause.
    let _kept = match Sysctl::keep() {
        Ok(sysctl) => sysctl,
        Err(why) => skip!("{why}"),
    };
    let said = child.run_well();
    assert_eq!(
        said[0],
        r#"Ring(Refused { step: "io_uring_setup", errno: "EPERM" })"#
    );
    let calls = ["io_uring_setup", "io_uring_enter", "io_uring_register"];
    assert_mentions(&said[1], &calls);
    assert_mentions(&said[1], &["EPERM", "seccomp", "container"]);
    assert!(!said[1].contains("switched off"), "{}", said[1]);
}

/// Some profiles allow a ring to be made, and nothing to be done with it.
#[test]
fn a_filter_that_refuses_to_enter_is_told_by_that() {
    let said = Child::of(|| {
        restraint::deny(libc::SYS_io_uring_enter, libc::EACCES);
        report(Builder::new().cores(1));
    })
    .run_well();
    assert_eq!(
        said[0],
        r#"Ring(Refused { step: "io_uring_enter", errno: "EACCES" })"#
    );
    assert_mentions(&said[1], &["io_uring_enter: EACCES", "seccomp"]);
}

#[test]
fn a_filter_that_refuses_to_register_is_told_by_that() {
    let said = Child::of(|| {
        restraint::deny(libc::SYS_io_uring_register, libc::EPERM);
        report(Builder::new().cores(1));
    })
    .run_well();
    assert!(said[0].starts_with("Ring(Refused"), "{}", said[0]);
    assert_mentions(&said[1], &["list of operations", "io_uring_register"]);
}

#[test]
fn a_filter_that_refuses_eventfd_is_told_by_that() {
    let said = Child::of(|| {
        restraint::deny(libc::SYS_eventfd2, libc::EPERM);
        report(Builder::new().cores(1));
    })
    .run_well();
    assert_mentions(&said[1], &["core 0", "eventfd2", "seccomp"]);
}

#[test]
fn the_setting_that_switches_io_uring_off_is_named_with_its_value() {
    let child = Child::of(|| {
        restraint::become_nobody();
        report(Builder::new().cores(1));
    });
    let _refusing = match Sysctl::refuse_the_unprivileged() {
        Ok(sysctl) => sysctl,
        Err(why) => skip!("{why}"),
    };
    let said = child.run_well();
    assert_eq!(said[0], "Ring(Disabled(1))");
    assert_mentions(
        &said[1],
        &[
            "kernel.io_uring_disabled is 1",
            "sysctl kernel.io_uring_disabled=0",
            "io_uring_group",
        ],
    );
    assert!(!said[1].contains("seccomp"), "{}", said[1]);
}

/// At 2 nobody's group helps. The text alone: at 2 the kernel would refuse the other tests as well.
#[test]
fn a_setting_that_refuses_everybody_does_not_advise_to_join_a_group() {
    let text = StartError::from(SetupError::Disabled(2)).to_string();
    assert_mentions(&text, &["kernel.io_uring_disabled is 2"]);
    assert!(!text.contains("group"), "{text}");
}

// ---- Limits ----

/// Kernels before 5.12 count rings against it, and late ones do again: 6.18 does. Root is not limited.
#[test]
fn the_limit_on_locked_memory_is_named_with_its_value() {
    let child = Child::of(|| {
        restraint::become_nobody();
        restraint::with_limit(Resource::Memlock, 2048, || report(Builder::new().cores(1)));
    });
    let _kept = match Sysctl::keep() {
        Ok(sysctl) => sysctl,
        Err(why) => skip!("{why}"),
    };
    let said = child.run_well();
    if said == ["started, cores: 1"] {
        skip!("this kernel does not count rings against it");
    }
    assert_eq!(said[0], "Ring(NoMemory { locked_limit_bytes: Some(2048) })");
    assert_mentions(
        &said[1],
        &[
            "ENOMEM",
            "locked memory is 2 KiB",
            "ulimit -l",
            "LimitMEMLOCK=",
        ],
    );
}

/// As on a machine with many cores, what may be locked is enough for a smaller ring alone: one of the usual size takes 84 KiB.
#[test]
fn where_little_memory_may_be_locked_rings_are_smaller() {
    let child = Child::of(|| {
        restraint::become_nobody();
        restraint::with_limit(Resource::Memlock, 64 << 10, || {
            report(Builder::new().cores(1));
        });
    });
    let _kept = match Sysctl::keep() {
        Ok(sysctl) => sysctl,
        Err(why) => skip!("{why}"),
    };
    assert_eq!(child.run_well(), ["started, cores: 1"]);
}

#[test]
fn without_address_space_for_a_ring_that_limit_is_named_too() {
    let child = Child::of(|| {
        let address_space = restraint::address_space_bytes();
        let before = Footprint::now();
        let start = || Builder::new().cores(1).build();
        let error = restraint::with_limit(Resource::As, address_space, start).unwrap_err();
        eprintln!("{}\n{error}", variant(&error));
        before.assert_restored();
    });
    let said = child.run_well();
    assert_mentions(&said[0], &["Ring(NoMemory { "]);
    assert_mentions(&said[1], &["ENOMEM", "ulimit -v", "control group"]);
}

/// Wherever the descriptors end (in the probe, at an eventfd, at a core's ring), the error is the same and nothing is left behind; and
/// the text is right in saying that each core needs two. The more CPUs there are, the more places this comes to.
#[test]
fn without_descriptors_their_limit_is_named() {
    let cores = restraint::cpus().len().min(4);
    let child = Child::of(|| {
        let before = Footprint::now();
        let lacks = |spare: &usize| {
            let limit = restraint::descriptor_limit_leaving(*spare);
            let start = || Builder::new().cores(cores).build().map(drop);
            let error = restraint::with_limit(Resource::Nofile, limit, start).err();
            if let Some(error) = &error {
                eprintln!("{}\n{error}", variant(error));
            }
            before.assert_restored();
            error.is_some()
        };
        assert_eq!((0..).take_while(lacks).count(), 2 * cores);
    });
    let said = child.run_well();
    assert_eq!(said.len(), 2 * 2 * cores, "{said:?}");
    for failure in said.chunks(2) {
        assert_eq!(failure[0], "Ring(NoDescriptors)");
        assert_mentions(
            &failure[1],
            &[
                "descriptor",
                "EMFILE",
                "ulimit -n",
                "needs two",
                "fewer cores",
            ],
        );
    }
}

/// By then core 0 has its ring.
#[test]
fn a_thread_that_cannot_be_started_is_named_by_its_core() {
    let child = Child::of(|| {
        restraint::become_nobody();
        restraint::with_limit(Resource::Nproc, 0, || report(Builder::new().cores(2)));
    });
    if restraint::cpus().len() < 2 {
        skip!("there is one CPU only");
    }
    let _kept = match Sysctl::keep() {
        Ok(sysctl) => sysctl,
        Err(why) => skip!("{why}"),
    };
    let said = child.run_well();
    assert_mentions(&said[0], &["Thread { core: 1, "]);
    assert_mentions(
        &said[1],
        &["the thread of core 1 could not be started", "unavailable"],
    );
}

/// By then core 1 has its thread.
#[test]
fn a_cpu_that_cannot_be_pinned_to_is_named() {
    let child = Child::of(|| {
        restraint::deny(libc::SYS_sched_setaffinity, libc::EINVAL);
        report(Builder::new().cores(2));
    });
    let cpus = restraint::cpus();
    if cpus.len() < 2 {
        skip!("there is one CPU only");
    }
    let said = child.run_well();
    assert_mentions(&said[0], &["Thread { core: 1, "]);
    assert_mentions(
        &said[1],
        &[
            "core 1",
            &format!("CPU {} refuses to be pinned to", cpus[1]),
        ],
    );
}

/// A ring that is closed but still registered lives on in its thread, which has sixteen places for such. The failure is the previous
/// test's, which comes when core 0 has its ring.
#[test]
fn a_failed_start_leaves_no_ring_registered() {
    let child = Child::of(|| {
        restraint::deny(libc::SYS_sched_setaffinity, libc::EINVAL);
        let before = ring_places::free();
        Builder::new().cores(2).build().unwrap_err();
        assert_eq!(
            ring_places::free(),
            before,
            "free places after a start that failed"
        );
        drop(Builder::new().cores(2).pin(false).build().unwrap());
        assert_eq!(ring_places::free(), before, "free places after a runtime");
    });
    if restraint::cpus().len() < 2 {
        skip!("there is one CPU only");
    }
    child.run_well();
}

// ---- CPUs and cores ----

#[test]
fn more_cores_than_the_affinity_mask_has_cpus_are_not_started() {
    let child = Child::of(|| {
        let last = *restraint::cpus().last().unwrap();
        restraint::confine_to(&[last]);
        report(Builder::new().cores(2));
        report(Builder::new());
    });
    let last = *restraint::cpus().last().unwrap();
    let said = child.run_well();
    assert_eq!(
        said[0],
        format!("NotEnoughCpus {{ asked: 2, allowed: [{last}] }}")
    );
    assert_mentions(
        &said[1],
        &["2 cores", &format!("1 CPU only: [{last}]"), "taskset"],
    );
    assert_eq!(
        said[2], "started, cores: 1",
        "all of the mask, unless told otherwise"
    );
}

/// The first CPU of the mask, and of those that follow every other, are taken away: core numbers are not CPU numbers.
#[test]
fn in_a_mask_with_holes_each_core_runs_on_a_cpu_of_the_mask() {
    let child = Child::of(|| {
        let cpus: Vec<usize> = restraint::cpus().into_iter().skip(1).step_by(2).collect();
        restraint::confine_to(&cpus);
        let runtime = Builder::new().build().unwrap();
        runtime.block_on(async {
            assert_eq!(executor::cpus(), cpus);
            assert_eq!(sched_getcpu(), cpus[0]);
            for (core, cpu) in cpus.iter().enumerate() {
                let there = executor::spawn_on(core, async || sched_getcpu());
                assert_eq!(there.await.unwrap(), *cpu, "core {core}");
            }
        });
    });
    if restraint::cpus().len() < 2 {
        skip!("there is one CPU only");
    }
    child.run_well();
}

#[test]
fn a_thread_is_pinned_while_it_is_a_core_and_no_longer() {
    let before = restraint::cpus();
    let runtime = Builder::new().cores(1).build().unwrap();
    assert_eq!(restraint::cpus(), before, "built, but not a core yet");
    assert_eq!(runtime.block_on(async { restraint::cpus() }), before[..1]);
    assert_eq!(restraint::cpus(), before);
    let unpinned = Builder::new().cores(1).pin(false).build().unwrap();
    assert_eq!(unpinned.block_on(async { restraint::cpus() }), before);
}

#[test]
fn zero_cores_are_refused() {
    let error = Builder::new().cores(0).build().unwrap_err();
    assert!(matches!(error, StartError::NoCores), "{error:?}");
    assert_mentions(
        &error.to_string(),
        &["zero cores", "at least one", "leave the number out"],
    );
    // As `unwrap` prints it.
    assert_mentions(&format!("{error:?}"), &["StartError", "at least one"]);
}

/// A CPU that no machine has, one twice, none, and other than as many as there are to be cores: the
/// error names what was wrong, and leaves nothing behind.
#[test]
fn cpus_that_cannot_be_had_are_named() {
    let error = |builder: Builder| {
        let before = Footprint::now();
        let error = builder.build().unwrap_err();
        before.assert_restored();
        (variant(&error), error.to_string())
    };
    let child = Child::of(move || {
        let cpus = restraint::cpus();
        let first = cpus[0];
        for missing in [1_023, 1_000_000, usize::MAX] {
            let (what, text) = error(Builder::new().cpus(&[first, missing]));
            assert_eq!(
                what,
                format!("CpuNotAllowed {{ cpu: {missing}, allowed: {cpus:?} }}")
            );
            let named = format!("CPU {missing} was asked for");
            let allowed = format!("these only: {cpus:?}");
            assert_mentions(&text, &[&named, &allowed, "Choose among them", "taskset"]);
        }
        let (what, text) = error(Builder::new().cpus(&[first, first]));
        assert_eq!(what, format!("CpuTwice({first})"));
        assert_mentions(&text, &["twice", "name each CPU once"]);
        let (what, _) = error(Builder::new().cpus(&[]));
        assert_eq!(what, "NoCores");
        let (what, text) = error(Builder::new().cores(2).cpus(&[first]));
        assert_eq!(
            what,
            format!("CpusForCores {{ cores: 2, cpus: [{first}] }}")
        );
        assert_mentions(&text, &["one CPU for each core", "leave `cores` out"]);
    });
    child.run_well();
}

// ---- Numbers ----

/// Below what a thread can have (the standard library would raise it in silence), and beyond all
/// memory.
#[test]
fn a_stack_size_that_no_thread_can_have_is_refused_with_the_limits() {
    let smallest = libc::PTHREAD_STACK_MIN;
    for asked in [0, 1, smallest - 1, isize::MAX as usize + 1, usize::MAX] {
        let builder = Builder::new().cores(1).thread_stack_size(asked);
        let error = builder.build().unwrap_err();
        assert!(
            matches!(error, StartError::ThreadStackSize { asked: told } if told == asked),
            "{error:?}"
        );
        let (asked, smallest) = (format!("{asked} bytes"), format!("from {smallest} to "));
        assert_mentions(&error.to_string(), &[&asked, &smallest, "or leave it out"]);
    }
    let builder = Builder::new().cores(1).thread_stack_size(smallest);
    drop(builder.build().unwrap());
}

/// There is no memory for the stack of core 1.
#[test]
fn a_stack_that_there_is_no_memory_for_is_told() {
    let child = Child::of(|| {
        let builder = Builder::new().cores(2);
        report(builder.thread_stack_size(isize::MAX as usize));
    });
    if restraint::cpus().len() < 2 {
        skip!("there is one CPU only");
    }
    let said = child.run_well();
    assert_mentions(&said[0], &["Thread { core: 1, "]);
    assert_mentions(&said[1], &["no memory", "smaller ones"]);
}

/// With none of them, what needs one would wait for ever.
#[test]
fn zero_threads_and_workers_are_refused() {
    let error = Builder::new().blocking_threads_max(0).build().unwrap_err();
    assert!(matches!(error, StartError::NoBlockingThreads), "{error:?}");
    assert_mentions(&error.to_string(), &["spawn_blocking", "Allow one or more"]);
    let error = Builder::new().file_workers_max(0).build().unwrap_err();
    assert!(matches!(error, StartError::NoFileWorkers), "{error:?}");
    assert_mentions(&error.to_string(), &["file", "Allow one or more"]);
}

// ---- A runtime inside a runtime ----

#[test]
fn a_runtime_is_not_built_on_a_core_of_another() {
    let build = || Builder::new().cores(1).build().unwrap_err();
    let runtime = Builder::new()
        .cores(restraint::cpus().len().min(2))
        .build()
        .unwrap();
    let errors = runtime.block_on(async {
        let last = executor::cores() - 1;
        [
            build(),
            executor::spawn_on(last, async move || build())
                .await
                .unwrap(),
        ]
    });
    for error in errors {
        assert!(matches!(error, StartError::InsideRuntime), "{error:?}");
        assert_mentions(
            &error.to_string(),
            &["inside a runtime", ".await", "executor::spawn"],
        );
    }
    // As the text advises: on a thread of its own.
    runtime.block_on(async {
        let other = std::thread::spawn(|| Builder::new().cores(1).build().map(drop));
        other.join().unwrap().unwrap();
    });
}

#[test]
fn blocking_on_a_runtime_from_one_of_its_tasks_panics_and_says_why() {
    let runtime = Rc::new(Builder::new().cores(1).build().unwrap());
    let inner = Rc::clone(&runtime);
    let task = async move { inner.block_on(async {}) };
    let outcome = runtime.block_on(async { executor::spawn(task).await });
    let text = outcome.unwrap_err().to_string();
    assert_mentions(&text, &[&StartError::InsideRuntime.to_string()]);
    assert_eq!(runtime.block_on(async { 7 }), 7, "the runtime goes on");
}
