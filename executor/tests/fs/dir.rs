//! Open directories: names are resolved in them, whatever they are called meanwhile.

use crate::common;
use crate::scratch;

use common::{modes, run, settle, start_with};
use executor::fs::{self, Dir, DirEntry, OpenOptions};
use executor::io::AsyncReadExt;
use futures::{FutureExt, StreamExt};
use rustix::fs::{FileType, Mode, mknodat};
use scratch::Scratch;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::pin::pin;

fn kind<T: Debug>(result: io::Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}

fn to_create() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    options
}

/// Everything that can be done in a directory is done in one that has been renamed, while another
/// directory has its name; and nothing in that one. In each mode, in memory and on the disk.
#[test]
fn a_renamed_directory_stays_the_same() {
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        for scratch in Scratch::each("dir") {
            let at = |name: &str| scratch.path(name);
            runtime.block_on(async {
                std::fs::create_dir(at("before")).unwrap();
                let dir = Dir::open(at("before")).await.unwrap();
                std::fs::rename(at("before"), at("after")).unwrap();
                std::fs::create_dir(at("before")).unwrap();

                dir.create_dir("sub").await.unwrap();
                let file = dir.open_file_with("sub/file", &to_create()).await.unwrap();
                file.write_at("content", 0).await.0.unwrap();
                let sub = dir.open_dir("sub").await.unwrap();
                let mut file = sub.open_file("file").await.unwrap();
                let (read, text) = file.read_to_end(Vec::new()).await.into();
                read.unwrap();
                assert_eq!(text, b"content");
                sub.rename("file", &dir, "moved").await.unwrap();
                dir.sync_all().await.unwrap();
                assert_eq!(std::fs::read(at("after/moved")).unwrap(), b"content");
                assert_eq!(dir.metadata("moved").await.unwrap().len(), 7);

                std::os::unix::fs::symlink("moved", at("after/link")).unwrap();
                assert!(dir.metadata("link").await.unwrap().is_file());
                assert!(dir.symlink_metadata("link").await.unwrap().is_symlink());
                let own = dir.dir_metadata().await.unwrap();
                assert_eq!(own.ino(), fs::metadata(at("after")).await.unwrap().ino());

                dir.remove_file("link").await.unwrap();
                dir.remove_file("moved").await.unwrap();
                dir.remove_dir("sub").await.unwrap();
                for name in ["before", "after"] {
                    std::fs::remove_dir(at(name)).unwrap();
                }
                // It is still there, and takes nothing any more.
                let made = dir.create_dir("late").await;
                assert_eq!(kind(made), ErrorKind::NotFound);
                assert!(dir.read_dir().await.unwrap().next().await.is_none());
            });
        }
    }
}

/// Errors are those of the system; and a path that is not relative does not care about the
/// directory.
#[test]
fn errors_in_a_directory_are_those_of_the_system() {
    let scratch = Scratch::on_disk("dir-errors");
    run(1, async {
        std::fs::write(scratch.path("file"), "").unwrap();
        std::fs::create_dir_all(scratch.path("full/inside")).unwrap();
        let missing = Dir::open(scratch.path("missing")).await;
        assert_eq!(kind(missing), ErrorKind::NotFound);
        let no_directory = Dir::open(scratch.path("file")).await;
        assert_eq!(kind(no_directory), ErrorKind::NotADirectory);
        let dir = Dir::open(scratch.path("")).await.unwrap();
        let zero = Path::new("zero\0byte");
        assert_eq!(kind(Dir::open(zero).await), ErrorKind::InvalidInput);
        assert_eq!(kind(dir.open_dir("file").await), ErrorKind::NotADirectory);
        assert_eq!(kind(dir.open_file("missing").await), ErrorKind::NotFound);
        assert_eq!(kind(dir.open_file(zero).await), ErrorKind::InvalidInput);
        let again = dir.open_file_with("file", &to_create()).await;
        assert_eq!(kind(again), ErrorKind::AlreadyExists);
        let nothing = dir.open_file_with("file", &OpenOptions::new()).await;
        assert_eq!(kind(nothing), ErrorKind::InvalidInput);
        assert_eq!(kind(dir.create_dir("full").await), ErrorKind::AlreadyExists);
        assert_eq!(kind(dir.create_dir("no/dir").await), ErrorKind::NotFound);
        assert_eq!(kind(dir.remove_file("full").await), ErrorKind::IsADirectory);
        assert_eq!(kind(dir.remove_dir("file").await), ErrorKind::NotADirectory);
        let full = dir.remove_dir("full").await;
        assert_eq!(kind(full), ErrorKind::DirectoryNotEmpty);
        let missing = dir.rename("missing", &dir, "x").await;
        assert_eq!(kind(missing), ErrorKind::NotFound);
        assert_eq!(kind(dir.metadata("missing").await), ErrorKind::NotFound);
        assert!(dir.metadata("/dev/null").await.is_ok());
        assert!(dir.metadata("full/../file").await.unwrap().is_file());

        let file = std::fs::File::open(scratch.path("file")).unwrap();
        let file = Dir::from(OwnedFd::from(file));
        assert_eq!(kind(file.metadata("x").await), ErrorKind::NotADirectory);
        assert_eq!(kind(file.read_dir().await), ErrorKind::NotADirectory);
    });
}

/// A directory with more in it than is fetched at once is listed twice, though it was renamed. The
/// entries know their names, and find themselves also after the directory was dropped.
#[test]
fn an_open_directory_is_listed() {
    run(1, async {
        for scratch in Scratch::each("dir-listed") {
            std::fs::create_dir(scratch.path("before")).unwrap();
            let dir = Dir::open(scratch.path("before")).await.unwrap();
            std::fs::rename(scratch.path("before"), scratch.path("after")).unwrap();
            let mut expected = BTreeSet::new();
            for number in 0..600 {
                let name = format!("entry-{number}");
                std::fs::write(scratch.path("after").join(&name), &name).unwrap();
                expected.insert(name);
            }
            dir.create_dir("sub").await.unwrap();
            expected.insert("sub".to_owned());
            let mut last: Vec<DirEntry> = Vec::new();
            for _ in 0..2 {
                let listing = dir.read_dir().await.unwrap();
                last = listing.map(Result::unwrap).collect().await;
                let names = last.iter().map(|entry| entry.file_name());
                let names = names.map(|name| name.into_string().unwrap());
                assert_eq!(names.collect::<BTreeSet<_>>(), expected);
                assert_eq!(last.len(), expected.len());
            }
            drop(dir);
            for entry in last.iter().step_by(50) {
                let name = entry.file_name();
                assert_eq!(entry.path(), Path::new(&name));
                let metadata = entry.metadata().await.unwrap();
                assert_eq!(metadata.file_type(), entry.file_type());
                assert_eq!(metadata.ino(), entry.ino());
                assert_eq!(entry.file_type().is_dir(), name == "sub");
            }
        }
    });
}

/// A named pipe in a directory is opened, and waited for, as one that has a whole path.
#[test]
fn a_named_pipe_in_a_directory_is_waited_for() {
    let scratch = Scratch::on_disk("dir-fifo");
    run(1, async {
        let dir = Dir::open(scratch.path("")).await.unwrap();
        let mode = Mode::from_raw_mode(0o600);
        mknodat(&dir, "fifo", FileType::Fifo, mode, 0).unwrap();
        let mut reading = pin!(dir.open_file("fifo"));
        assert!(reading.as_mut().now_or_never().is_none());
        settle().await;
        assert!(reading.as_mut().now_or_never().is_none());
        let mut options = OpenOptions::new();
        let writing = dir.open_file_with("fifo", options.write(true));
        let (reading, writing) = futures::join!(reading, writing);
        let (mut reading, writing) = (reading.unwrap(), writing.unwrap());
        let mut writing = writing;
        executor::io::AsyncWriteExt::write_all(&mut writing, "x")
            .await
            .0
            .unwrap();
        assert_eq!(&reading.read_exact([0; 1]).await.1, b"x");
    });
}

/// A directory goes to another core as a descriptor, once nobody uses it here.
#[test]
fn a_directory_is_given_back_and_taken_over() {
    let scratch = Scratch::on_disk("dir-owned");
    run(1, async {
        let dir = Dir::open(scratch.path("")).await.unwrap();
        let twin = dir.try_clone().unwrap();
        {
            let mut looking = pin!(dir.metadata(""));
            assert!(looking.as_mut().now_or_never().is_none());
        }
        let dir = dir.into_owned_fd().expect_err("the kernel has it");
        settle().await;
        let mut dir = Some(dir);
        while let Some(busy) = dir.take() {
            match busy.into_owned_fd() {
                Ok(owned) => drop(owned),
                Err(busy) => dir = Some(busy),
            }
            executor::yield_now().await;
        }
        twin.create_dir("made").await.unwrap();
        let owned = twin.into_owned_fd().unwrap();
        let taken = Dir::from(owned);
        assert!(taken.metadata("made").await.unwrap().is_dir());
        assert!(rustix::fs::fstat(taken.as_fd()).is_ok());
    });
}
