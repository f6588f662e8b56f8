//! Prints the lines that contain a text, from many files at once: files are dealt out to the cores, and each has several open at a time.
//! Directories are searched with all that is in them.
//!
//! ```sh
//! cargo run --release --example grep -- TEXT PATH...
//! ```

use executor::fs::{self, File};
use executor::io::BufReader;
use executor::sync::Semaphore;
use futures::future::join_all;
use std::collections::VecDeque;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// Files that a core reads at the same time.
const OPEN_MAX: usize = 16;

#[executor::main]
async fn main() -> io::Result<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(text), paths) = (arguments.next(), arguments.map(PathBuf::from).collect()) else {
        eprintln!("usage: grep TEXT PATH...");
        return Ok(ExitCode::from(2));
    };
    let text: Arc<[u8]> = text.as_encoded_bytes().into();
    let mut shares = vec![Vec::new(); executor::cores()];
    for (number, file) in files_in(paths).await.into_iter().enumerate() {
        let share = number % shares.len();
        shares[share].push((number, file));
    }
    let searches: Vec<_> = shares
        .into_iter()
        .enumerate()
        .map(|(core, files)| {
            let text = Arc::clone(&text);
            executor::spawn_on(core, move || search_all(text, files))
        })
        .collect();
    let mut found = Vec::new();
    for search in searches {
        found.extend(search.await.expect("a search does not panic"));
    }
    // In the order of the files, whichever core was the first.
    found.sort_by_key(|(number, _)| *number);
    let mut out = io::stdout().lock();
    for (_, lines) in &found {
        out.write_all(lines)?;
    }
    let any = found.iter().any(|(_, lines)| !lines.is_empty());
    Ok(ExitCode::from(u8::from(!any)))
}

/// The files that these paths are, or that are in them.
async fn files_in(paths: VecDeque<PathBuf>) -> Vec<PathBuf> {
    let (mut paths, mut files) = (paths, Vec::new());
    while let Some(path) = paths.pop_front() {
        match fs::read_dir(&path).await {
            Ok(mut entries) => loop {
                match entries.next_entry().await {
                    Ok(Some(entry)) if entry.file_type().is_dir() => paths.push_back(entry.path()),
                    Ok(Some(entry)) if entry.file_type().is_file() => files.push(entry.path()),
                    Ok(Some(_)) => {}
                    Ok(None) => break,
                    Err(error) => break eprintln!("{}: {error}", path.display()),
                }
            },
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => files.push(path),
            Err(error) => eprintln!("{}: {error}", path.display()),
        }
    }
    files.sort();
    files
}

/// Searches a core's share of the files. Returns what is to be printed for each.
async fn search_all(text: Arc<[u8]>, files: Vec<(usize, PathBuf)>) -> Vec<(usize, Vec<u8>)> {
    let open = Semaphore::new(OPEN_MAX);
    let searches = files.into_iter().map(|(number, file)| {
        let (open, text) = (&open, &text);
        async move {
            let _permit = open.acquire().await.expect("nobody closes it");
            let lines = search(text, &file).await.unwrap_or_else(|error| {
                eprintln!("{}: {error}", file.display());
                Vec::new()
            });
            (number, lines)
        }
    });
    join_all(searches).await
}

async fn search(text: &[u8], file: &PathBuf) -> io::Result<Vec<u8>> {
    let mut reader = BufReader::with_capacity(64 << 10, File::open(file).await?);
    let finder = memchr::memmem::Finder::new(text);
    let (mut found, mut line) = (Vec::new(), Vec::new());
    while reader.read_until(b'\n', &mut line).await? > 0 {
        if finder.find(&line).is_some() {
            write!(found, "{}:", file.display())?;
            found.extend_from_slice(&line);
            if !line.ends_with(b"\n") {
                found.push(b'\n');
            }
        }
        line.clear();
    }
    Ok(found)
}
