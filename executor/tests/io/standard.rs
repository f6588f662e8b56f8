//! The standard streams, in child processes, with a pipe, a file, /dev/null and a terminal behind them.

use crate::child;
use crate::common;
use crate::terminal;

use child::Child;
use common::{run, settle};
use executor::buf::BufResult;
use executor::fs::sendfile;
use executor::io::{
    AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, BufWriter, Stdin, splice, stderr, stdin,
    stdout,
};
use executor::spawn;
use futures::future::poll_immediate;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::process::{Command, Output, Stdio};
use std::{env, fs, io, process};
use terminal::Terminal;

/// What the child says is between these, on each stream: libtest says something as well.
const BEGIN: &str = "<<<";
const END: &str = ">>>";

/// Copies the standard input to the standard output in capitals, line by line, and says on the standard error how many there were.
async fn shout() {
    let mut lines = BufReader::new(stdin().unwrap()).lines();
    let mut out = BufWriter::new(stdout().unwrap());
    out.write_all(BEGIN).await.0.unwrap();
    let mut count = 0;
    while let Some(line) = lines.next_line().await.unwrap() {
        out.write_all(line.to_uppercase() + "\n").await.0.unwrap();
        count += 1;
    }
    out.write_all(END).await.0.unwrap();
    out.flush().await.unwrap();
    let text = format!("{BEGIN}{count} lines{END}");
    stderr().unwrap().write_all(text).await.0.unwrap();
}

fn said(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let (_, text) = text.split_once(BEGIN).expect("it begins");
    text.split_once(END).expect("it ends").0.to_owned()
}

/// Starts it, lets `meanwhile` do the rest, and waits for its end.
fn with(command: &mut Command, meanwhile: impl FnOnce(&mut process::Child)) -> Output {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    meanwhile(&mut child);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    output
}

/// Pipes on all sides, and input that comes in pieces.
#[test]
fn standard_streams_are_pipes() {
    let child = Child::of(|| run(1, shout()));
    let output = with(child.command().stdin(Stdio::piped()), |child| {
        let mut input = child.stdin.take().unwrap();
        for piece in ["one\nt", "wo\n", "three"] {
            input.write_all(piece.as_bytes()).unwrap();
        }
    });
    assert_eq!(said(&output.stdout), "ONE\nTWO\nTHREE\n");
    assert_eq!(said(&output.stderr), "3 lines");
}

/// What comes in goes out again inside the kernel, piece by piece, and then a file.
#[test]
fn standard_streams_are_spliced() {
    let child = Child::of(|| {
        run(1, async {
            let (input, output) = (stdin().unwrap(), stdout().unwrap());
            output.write(BEGIN).await.0.unwrap();
            while splice(&input, &output, 100).await.unwrap() > 0 {}
            let path = env::temp_dir().join(format!("executor-{}-splice", process::id()));
            fs::write(&path, "and a file").unwrap();
            let file = executor::fs::File::open(&path).await.unwrap();
            fs::remove_file(&path).unwrap();
            let sent = sendfile(&file, 0, &output, u64::MAX).await;
            assert_eq!(sent.unwrap(), 10);
            output.write(END).await.0.unwrap();
        });
    });
    let output = with(child.command().stdin(Stdio::piped()), |child| {
        let mut input = child.stdin.take().unwrap();
        for piece in ["one, ", "two, "] {
            input.write_all(piece.as_bytes()).unwrap();
        }
    });
    assert_eq!(said(&output.stdout), "one, two, and a file");
}

/// Input from a file, where it stands and not from its start, and output to a file, after what is in it.
#[test]
fn standard_streams_are_files() {
    let child = Child::of(|| run(1, shout()));
    let path = env::temp_dir().join(format!("executor-{}-standard", process::id()));
    fs::write(&path, "skipped\nfirst\nsecond\n").unwrap();
    let mut input = File::open(&path).unwrap();
    input.seek(io::SeekFrom::Start(8)).unwrap();
    let mut output = File::options().append(true).read(true).open(&path).unwrap();
    let status = child
        .command()
        .stdin(input)
        .stdout(output.try_clone().unwrap())
        .stderr(Stdio::null())
        .status();
    assert!(status.unwrap().success());
    let mut text = Vec::new();
    output.rewind().unwrap();
    output.read_to_end(&mut text).unwrap();
    fs::remove_file(&path).unwrap();
    assert!(text.starts_with(b"skipped\nfirst\nsecond\n"));
    let said = said(&text);
    // It reads on into what it writes, as any program does that is asked to; what there was comes first.
    assert!(said.starts_with("FIRST\nSECOND\n"), "{said}");
}

/// Nothing to read and nowhere to write.
#[test]
fn standard_streams_are_null() {
    let child = Child::of(|| {
        run(1, async {
            let input = stdin().unwrap();
            assert_eq!(input.read([0; 8]).await.0.unwrap(), 0);
            assert_eq!(input.read([0; 8]).await.0.unwrap(), 0);
            stdout()
                .unwrap()
                .write_all(vec![0; 100_000])
                .await
                .0
                .unwrap();
        });
    });
    let status = child
        .command()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status();
    assert!(status.unwrap().success());
}

/// Nobody reads the output any more: an error, and no signal.
#[test]
fn an_output_that_nobody_reads_is_an_error() {
    let child = Child::of(|| {
        run(1, async {
            // The harness has said its word already; the other side is closed before the input ends.
            stdout().unwrap().write_all(BEGIN).await.0.unwrap();
            assert_eq!(stdin().unwrap().read([0; 1]).await.0.unwrap(), 0);
            let BufResult(written, _) = stdout().unwrap().write("for nobody").await;
            assert_eq!(written.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        });
        // The harness would not survive it.
        process::exit(0);
    });
    with(child.command().stdin(Stdio::piped()), |child| {
        let mut output = child.stdout.take().unwrap();
        let mut text = Vec::new();
        while !String::from_utf8_lossy(&text).contains(BEGIN) {
            let mut some = [0; 64];
            let count = output.read(&mut some).unwrap();
            assert_ne!(count, 0);
            text.extend_from_slice(&some[..count]);
        }
        drop(output);
        drop(child.stdin.take());
    });
}

/// Handles come and go, each with a read that is dropped; what one has read, the next has.
#[test]
fn handles_of_one_core_lose_nothing() {
    let child = Child::of(|| {
        run(1, async {
            let mut came = Vec::new();
            let mut dropped = 0;
            loop {
                let mut read = stdin().unwrap().read(Vec::with_capacity(7));
                let mut polls = 0;
                let done = loop {
                    match poll_immediate(&mut read).await {
                        Some(done) => break Some(done),
                        None if polls == came.len() % 3 => break None,
                        None => polls += 1,
                    }
                    settle().await;
                };
                drop(read);
                match done {
                    Some(BufResult(count, _)) if count.as_ref().unwrap() == &0 => break,
                    Some(BufResult(_, bytes)) => came.extend(bytes),
                    None => {
                        dropped += 1;
                        // So that it gets on.
                        let BufResult(_, byte) = stdin().unwrap().read(Vec::with_capacity(1)).await;
                        if byte.is_empty() {
                            break;
                        }
                        came.extend(byte);
                    }
                }
            }
            assert!(dropped > 10, "{dropped}");
            let expected: Vec<u8> = (0..1000u32).map(|number| number as u8).collect();
            assert!(came == expected);
        });
    });
    with(child.command().stdin(Stdio::piped()), |child| {
        let bytes: Vec<u8> = (0..1000u32).map(|number| number as u8).collect();
        child.stdin.take().unwrap().write_all(&bytes).unwrap();
    });
}

/// A terminal on all three: a conversation; and the program ends though a read of it is in flight.
#[test]
fn a_terminal_is_talked_to() {
    let child = Child::of(|| {
        run(1, async {
            let mut out = stdout().unwrap();
            let input: Stdin = stdin().unwrap();
            assert!(poll_immediate(input.read([0; 8])).await.is_none());
            settle().await;
            out.write_all("your name? ").await.0.unwrap();
            let mut lines = BufReader::new(input).lines();
            let name = lines.next_line().await.unwrap().unwrap();
            out.write_all(format!("hello {name}!")).await.0.unwrap();
            spawn(async move { lines.next_line().await.map(drop) }).detach();
            settle().await;
        });
    });
    let Some(mut terminal) = Terminal::new() else {
        return;
    };
    let mut child = child
        .command()
        .stdin(terminal.inside())
        .stdout(terminal.inside())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    terminal.shows("your name? ");
    terminal.types(b"somebody\n");
    terminal.shows("hello somebody!");
    assert!(child.wait().unwrap().success());
}

/// They read and write by the traits, as everything does.
#[test]
fn standard_streams_have_the_traits() {
    fn reads<R: AsyncRead>(_: R) {}
    fn writes<W: AsyncWrite>(_: W) {}
    reads(stdin().unwrap());
    writes(stdout().unwrap());
    writes(stderr().unwrap());
    reads(&stdin().unwrap());
    writes(&stdout().unwrap());
}
