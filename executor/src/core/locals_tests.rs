//! What no program can bring about at will: an old key that comes when its number is another's.

use super::locals::{Locals, NoValue};
use crate::local::OwnedKey;

/// A number is used again for a value of another type while a call is still on its way with the old key: it finds nothing.
#[test]
fn an_old_key_finds_nothing() {
    let locals = Locals::default();
    let old = OwnedKey::new();
    let old_key = old.get();
    assert_eq!(locals.make(old_key, || 1).map(|value| *value), Ok(1));
    assert_eq!(locals.take::<i32>(old_key).as_deref(), Some(&1));
    drop(old);
    let new = OwnedKey::new();
    assert_eq!(new.get().number(), old_key.number());
    assert!(locals.make(new.get(), || "new").is_ok());
    assert!(locals.get::<i32>(old_key).is_none());
    assert!(locals.take::<i32>(old_key).is_none());
    assert_eq!(locals.get::<&str>(new.get()).as_deref(), Some(&"new"));
    locals.close();
    assert!(locals.get::<&str>(new.get()).is_none());
    let refused = locals.get_or_make(new.get(), || "late");
    assert_eq!(refused.unwrap_err(), NoValue::Closing);
}
