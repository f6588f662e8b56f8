//! Names, links and directories, in memory and on the disk.

use crate::common;
use crate::scratch;

use common::{modes, run, start_with};
use executor::fs::{self, File, Permissions};
use executor::time::{Duration, timeout};
use futures::StreamExt;
use scratch::Scratch;
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

fn kind<T: std::fmt::Debug>(result: std::io::Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}

/// Files and directories are made, renamed, linked and removed, each by its name; and errors are those of the system.
#[test]
fn names_are_made_and_removed() {
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        for scratch in Scratch::each("names") {
            let at = |name: &str| scratch.path(name);
            runtime.block_on(async {
                fs::create_dir(at("dir")).await.unwrap();
                assert_eq!(
                    kind(fs::create_dir(at("dir")).await),
                    ErrorKind::AlreadyExists
                );
                assert_eq!(
                    kind(fs::create_dir(at("no/dir")).await),
                    ErrorKind::NotFound
                );
                fs::create_dir_all(at("dir/a/b/c")).await.unwrap();
                fs::create_dir_all(at("dir/a/b/c")).await.unwrap();
                assert_eq!(
                    kind(fs::remove_dir(at("dir/a")).await),
                    ErrorKind::DirectoryNotEmpty
                );
                fs::remove_dir(at("dir/a/b/c")).await.unwrap();

                fs::write(at("file"), "content").await.0.unwrap();
                fs::rename(at("file"), at("dir/moved")).await.unwrap();
                assert!(!fs::try_exists(at("file")).await.unwrap());
                assert!(fs::try_exists(at("dir/moved")).await.unwrap());
                assert_eq!(
                    kind(fs::rename(at("file"), at("x")).await),
                    ErrorKind::NotFound
                );

                fs::hard_link(at("dir/moved"), at("hard")).await.unwrap();
                assert_eq!(fs::metadata(at("hard")).await.unwrap().nlink(), 2);
                fs::symlink("dir/moved", at("soft")).await.unwrap();
                assert_eq!(
                    kind(fs::symlink("x", at("soft")).await),
                    ErrorKind::AlreadyExists
                );
                assert_eq!(
                    fs::read_link(at("soft")).await.unwrap(),
                    Path::new("dir/moved")
                );
                assert_eq!(
                    kind(fs::read_link(at("hard")).await),
                    ErrorKind::InvalidInput
                );
                assert!(fs::metadata(at("soft")).await.unwrap().is_file());
                assert!(fs::symlink_metadata(at("soft")).await.unwrap().is_symlink());
                assert_eq!(
                    fs::canonicalize(at("soft")).await.unwrap(),
                    std::fs::canonicalize(at("dir/moved")).unwrap()
                );
                fs::set_permissions(at("soft"), Permissions::from_mode(0o400))
                    .await
                    .unwrap();
                let mode = fs::metadata(at("hard")).await.unwrap().mode();
                assert_eq!(mode & 0o777, 0o400);
                assert_eq!(fs::copy(at("soft"), at("copy")).await.unwrap(), 7);
                assert_eq!(fs::read_to_string(at("copy")).await.unwrap(), "content");

                fs::remove_file(at("dir/moved")).await.unwrap();
                assert!(
                    !fs::try_exists(at("soft")).await.unwrap(),
                    "it points to nothing"
                );
                assert_eq!(kind(fs::metadata(at("soft")).await), ErrorKind::NotFound);
                assert_eq!(
                    kind(fs::remove_file(at("dir/moved")).await),
                    ErrorKind::NotFound
                );
                assert_eq!(
                    kind(fs::remove_file(at("dir")).await),
                    ErrorKind::IsADirectory
                );
                assert_eq!(
                    kind(fs::remove_dir(at("hard")).await),
                    ErrorKind::NotADirectory
                );
                fs::remove_dir_all(at("dir")).await.unwrap();
                assert!(!fs::try_exists(at("dir")).await.unwrap());
                assert_eq!(
                    kind(fs::remove_file("zero\0byte").await),
                    ErrorKind::InvalidInput
                );
            });
        }
    }
}

/// A directory with more in it than is fetched at once: everything is listed, once, with what it is, though looks at it are dropped.
#[test]
fn everything_in_a_directory_is_listed_once() {
    run(1, async {
        for scratch in Scratch::each("listed") {
            let directory = scratch.path("many");
            fs::create_dir(&directory).await.unwrap();
            let mut expected = BTreeSet::new();
            for number in 0..700 {
                let name = format!("entry-{number}");
                match number % 3 {
                    0 => drop(std::fs::write(directory.join(&name), "")),
                    1 => std::fs::create_dir(directory.join(&name)).unwrap(),
                    _ => std::os::unix::fs::symlink("x", directory.join(&name)).unwrap(),
                }
                expected.insert((name, number % 3));
            }
            let mut entries = fs::read_dir(&directory).await.unwrap();
            let (mut listed, mut dropped) = (Vec::new(), 0);
            loop {
                match timeout(Duration::from_micros(2), entries.next_entry()).await {
                    Ok(Ok(Some(entry))) => {
                        assert_eq!(entry.path(), directory.join(entry.file_name()));
                        listed.push(entry);
                    }
                    Ok(end) => break assert!(end.unwrap().is_none()),
                    Err(_) => dropped += 1,
                }
            }
            println!("{dropped} dropped");
            assert_eq!(listed.len(), 700);
            let listed: BTreeSet<_> = listed
                .into_iter()
                .map(|entry| {
                    let is = entry.file_type();
                    let kind = [is.is_file(), is.is_dir(), is.is_symlink()];
                    let kind = kind.iter().position(|is| *is).unwrap();
                    (entry.file_name().into_string().unwrap(), kind)
                })
                .collect();
            assert!(listed == expected);
        }
        assert_eq!(
            kind(fs::read_dir("/nonexistent").await),
            ErrorKind::NotFound
        );
        assert_eq!(
            kind(fs::read_dir("/dev/null").await),
            ErrorKind::NotADirectory
        );
        let mut entries = fs::read_dir("/dev").await.unwrap();
        while let Some(entry) = entries.next().await {
            let entry = entry.unwrap();
            if entry.file_name() == "null" {
                assert!(entry.file_type().is_char_device());
                let metadata = entry.metadata().await.unwrap();
                assert_eq!(metadata.file_type(), entry.file_type());
                assert_eq!(format!("{:?}", entry.file_type()), "CharDevice");
            }
        }
    });
}

/// Whole files: what is written is read, empty ones, and those that do not say how long they are.
#[test]
fn whole_files_are_read_and_written() {
    run(1, async {
        for scratch in Scratch::each("files") {
            let path = scratch.path("file");
            for size in [0, 1, 4095, 4096, 4097, 1_000_000] {
                let bytes = common::Random::new(7).bytes(size);
                fs::write(&path, bytes.clone()).await.0.unwrap();
                assert!(fs::read(&path).await.unwrap() == bytes);
            }
            fs::write(&path, b"\xff").await.0.unwrap();
            assert_eq!(
                kind(fs::read_to_string(&path).await),
                ErrorKind::InvalidData
            );
        }
        let text = fs::read_to_string("/proc/self/status").await.unwrap();
        assert!(text.contains("Threads:"));
        assert_eq!(kind(fs::read("/nonexistent").await), ErrorKind::NotFound);
        assert_eq!(kind(fs::read("/").await), ErrorKind::IsADirectory);
        let (result, buffer) = fs::write("/nonexistent/file", "back").await.into();
        assert_eq!((kind(result), buffer), (ErrorKind::NotFound, "back"));
        assert_eq!(kind(File::open("/nonexistent").await), ErrorKind::NotFound);
    });
}

/// Directories are made with a mode, one or all that are missing.
#[test]
fn a_builder_makes_directories() {
    let scratch = Scratch::on_disk("builder");
    run(1, async {
        let mode = |name: &str| {
            let metadata = std::fs::metadata(scratch.path(name)).unwrap();
            metadata.permissions().mode() & 0o777
        };
        let mut builder = fs::DirBuilder::new();
        builder.mode(0o700);
        let made = builder.create(scratch.path("a/b")).await;
        assert_eq!(kind(made), ErrorKind::NotFound);
        builder.create(scratch.path("one")).await.unwrap();
        assert_eq!(mode("one"), 0o700);
        let again = builder.create(scratch.path("one")).await;
        assert_eq!(kind(again), ErrorKind::AlreadyExists);
        for _ in 0..2 {
            let made = builder.recursive(true).create(scratch.path("a/b/c")).await;
            made.unwrap();
        }
        assert_eq!((mode("a"), mode("a/b/c")), (0o700, 0o700));
    });
}
