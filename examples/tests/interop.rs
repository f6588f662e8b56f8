//! The servers among the examples, driven by programs that know nothing of us: curl, nc, redis-cli and redis-benchmark, from Debian's packages
//! of these names (nc: netcat-openbsd; the last two: redis-tools).
//!
//! Where one is not installed its test is skipped, with a word; where `INTEROP` is set, as in CI, it fails.

mod support;

use std::io::Write;
use std::process::{Command, Stdio};
use support::server::{Server, binary};

/// A server on a free port, if `program` is there to talk to it.
fn start(example: &str, program: &str) -> Option<Server> {
    let found = Command::new("sh")
        .args(["-c", &format!("command -v {program}")])
        .stdout(Stdio::null())
        .status();
    if !found.expect("there is a shell").success() {
        assert!(
            std::env::var_os("INTEROP").is_none(),
            "{program} is not installed"
        );
        println!("skipped: {program} is not installed");
        return None;
    }
    Some(Server::start(
        Command::new(binary(example)).arg("127.0.0.1:0"),
    ))
}

/// Runs a program to its end, with `input` on its stdin; it must succeed. Returns its stdout.
#[track_caller]
fn run(program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("it is installed");
    let mut stdin = child.stdin.take().expect("it is piped");
    let input = input.to_vec();
    let feeder = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().expect("it runs");
    // A program that has read enough may have closed it.
    let _ = feeder.join();
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {output:?}"
    );
    output.stdout
}

fn text(output: Vec<u8>) -> String {
    String::from_utf8(output).expect("it is text")
}

/// curl fetches, posts three megabytes, asks for what is not there, and does two requests on one connection.
#[test]
fn curl_talks_to_the_http_server() {
    let Some(server) = start("http", "curl") else {
        return;
    };
    let url = format!("http://{}", server.address);
    let limit = ["--silent", "--show-error", "--max-time", "20"];
    let curl = |arguments: &[&str], input: &[u8]| run("curl", &[&limit, arguments].concat(), input);
    assert_eq!(curl(&[&url], b""), b"hello\n");
    let body: Vec<u8> = (0..3_000_000u32)
        .map(|number| (number >> 7) as u8)
        .collect();
    let echo = format!("{url}/echo");
    assert!(curl(&["--data-binary", "@-", &echo], &body) == body);
    let status = ["--output", "/dev/null", "--write-out", "%{http_code}"];
    assert_eq!(
        curl(&[&status[..], &[&format!("{url}/nothing")]].concat(), b""),
        b"404"
    );
    let connections = curl(&["--write-out", "%{num_connects} ", &url, &url], b"");
    assert_eq!(text(connections), "hello\n1 hello\n0 ");
}

/// What is no request is answered as such, and the connection closed.
#[test]
fn nc_sends_nonsense_to_the_http_server() {
    let Some(server) = start("http", "nc") else {
        return;
    };
    let (host, port) = (
        server.address.ip().to_string(),
        server.address.port().to_string(),
    );
    let answer = text(run(
        "nc",
        &["-w", "20", &host, &port],
        b"not a request\r\n\r\n",
    ));
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
}

/// A session by hand, with plain lines, cut and joined as nc pleases.
#[test]
fn nc_talks_to_mini_redis() {
    let Some(server) = start("mini-redis", "nc") else {
        return;
    };
    let (host, port) = (
        server.address.ip().to_string(),
        server.address.port().to_string(),
    );
    let session =
        b"PING\r\nset word nc\r\nget word\r\nincr word\r\nget nothing\r\n*1\r\n$4\r\nQUIT\r\n";
    let answers = text(run("nc", &["-w", "20", &host, &port], session));
    let not_a_number = "-ERR value is not an integer or out of range";
    assert_eq!(
        answers,
        format!("+PONG\r\n+OK\r\n$2\r\nnc\r\n{not_a_number}\r\n$-1\r\n+OK\r\n")
    );
}

/// Each command, on keys that are on both cores, then a thousand in one pipeline.
#[test]
fn redis_cli_talks_to_mini_redis() {
    let Some(server) = start("mini-redis", "redis-cli") else {
        return;
    };
    let port = server.address.port().to_string();
    let cli = |arguments: &[&str], input: &[u8]| {
        text(run(
            "redis-cli",
            &[&["-p", &port], arguments].concat(),
            input,
        ))
    };
    assert_eq!(cli(&["ping"], b""), "PONG\n");
    for number in 0..20 {
        let key = format!("key-{number}");
        assert_eq!(cli(&["set", &key, "41"], b""), "OK\n");
        assert_eq!(cli(&["incr", &key], b""), "42\n");
        assert_eq!(cli(&["get", &key], b""), "42\n");
    }
    assert_eq!(cli(&["del", "key-1", "key-2", "key-3", "none"], b""), "3\n");
    assert_eq!(cli(&["get", "key-2"], b""), "\n");
    assert!(cli(&["flushall"], b"").starts_with("ERR unknown command"));
    let pipeline: String = (0..1000)
        .map(|number| format!("INCR counter-{}\r\n", number % 10))
        .collect();
    let summary = cli(&["--pipe"], pipeline.as_bytes());
    assert!(summary.contains("errors: 0, replies: 1000"), "{summary}");
    assert_eq!(cli(&["get", "counter-7"], b""), "100\n");
}

/// redis-benchmark's load: fifty connections, one command and sixteen at a time. It checks no answers, but stops at an error.
#[test]
fn redis_benchmark_runs_against_mini_redis() {
    let Some(server) = start("mini-redis", "redis-benchmark") else {
        return;
    };
    let port = server.address.port().to_string();
    for pipeline in ["1", "16"] {
        let load = [
            "-p",
            &port,
            "-n",
            "5000",
            "-c",
            "50",
            "-P",
            pipeline,
            "-r",
            "1000",
            "--csv",
            "-t",
            "ping,set,get,incr",
        ];
        let table = text(run("redis-benchmark", &load, b""));
        let tests = table
            .lines()
            .filter(|line| !line.starts_with("\"test\""))
            .count();
        assert_eq!(tests, 5, "{table}");
    }
}
