//! What belongs to a core's ring or wheel is not `Send`. This compiles for that reason alone: were one of them `Send`, it would have the
//! trait twice, and the compiler could not tell which is meant.

trait OnceUnlessSend<Which> {
    fn look() {}
}

struct Always;
struct IfSend;

impl<T> OnceUnlessSend<Always> for T {}
impl<T: Send> OnceUnlessSend<IfSend> for T {}

fn main() {
    <executor::Runtime as OnceUnlessSend<_>>::look();
    <executor::time::Sleep as OnceUnlessSend<_>>::look();
    <executor::time::Interval as OnceUnlessSend<_>>::look();
    <executor::net::TcpListener as OnceUnlessSend<_>>::look();
    <executor::net::TcpStream as OnceUnlessSend<_>>::look();
}
