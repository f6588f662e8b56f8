//! What reads in another way is no reader here: the message names the adapters.

use executor::io::{BufReader, BufWriter};

fn both(stream: std::net::TcpStream) {
    let _ = BufReader::new(&stream);
    let _ = BufWriter::new(stream);
}

fn main() {}
