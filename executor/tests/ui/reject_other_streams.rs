//! What reads in another way is no reader here, and what is lent no stream: the messages say what
//! to do.

use executor::io::{BufReader, BufWriter, copy_bidirectional};

fn both(stream: std::net::TcpStream) {
    let _ = BufReader::new(&stream);
    let _ = BufWriter::new(stream);
}

fn proxy(mut front: executor::net::TcpStream, mut back: executor::net::TcpStream) {
    let _ = copy_bidirectional(&mut front, &mut back);
}

fn main() {}
