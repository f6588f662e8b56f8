//! A blocking closure runs on another thread: what it holds has to be `Send`.

struct Stays(*const ());

fn main() {
    let stays = Stays(std::ptr::null());
    executor::spawn_blocking(move || drop(&stays)).detach();
}
