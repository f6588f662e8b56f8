//! What a lane keeps, and what it does not.

use super::Lane;

/// A dropped read ended with an error: the next is told, once. That it was interrupted, by its own cancel, is no error.
#[test]
fn an_interruption_is_not_kept() {
    let lane = Lane::<u8>::new();
    lane.keep_error(libc::EINTR);
    assert!(lane.is_idle());
    assert_eq!(lane.take_kept_error(), None);
    lane.keep_error(libc::EIO);
    lane.keep_error(libc::EINTR);
    assert!(!lane.is_idle());
    assert_eq!(lane.take_kept_error(), Some(libc::EIO));
    assert_eq!(lane.take_kept_error(), None);
}
