use executor::net::TcpListener;

fn serve(handle: &executor::Handle, listener: &TcpListener) {
    handle.block_on(1, async || listener.local_addr().unwrap());
}

fn main() {
    let _ = serve;
}
