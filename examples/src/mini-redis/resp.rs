//! The part of RESP, Redis's protocol, that clients send: arrays of byte strings, or plain lines for those who type.

/// A command may have so many bytes in a part, and so many parts; what claims more is no command.
const PART_BYTES_MAX: usize = 16 << 20;
const PARTS_MAX: usize = 1024;

/// Takes one command apart. Returns how many bytes of `input` it is; `None` if its end has not come yet.
///
/// # Errors
/// Says what is wrong with it. What follows is no command either.
pub(crate) fn parse<'a>(
    input: &'a [u8],
    parts: &mut Vec<&'a [u8]>,
) -> Result<Option<usize>, &'static str> {
    parts.clear();
    let mut rest = input;
    let Some(line) = take_line(&mut rest)? else {
        return Ok(None);
    };
    let Some(count) = line.strip_prefix(b"*") else {
        parts.extend(
            line.split(u8::is_ascii_whitespace)
                .filter(|part| !part.is_empty()),
        );
        return Ok(Some(input.len() - rest.len()));
    };
    for _ in 0..number(count, PARTS_MAX).ok_or("invalid multibulk length")? {
        let Some(line) = take_line(&mut rest)? else {
            return Ok(None);
        };
        let length = line.strip_prefix(b"$").ok_or("expected '$'")?;
        let length = number(length, PART_BYTES_MAX).ok_or("invalid bulk length")?;
        if rest.len() < length + 2 {
            return Ok(None);
        }
        let (part, after) = rest.split_at(length);
        rest = after
            .strip_prefix(b"\r\n")
            .ok_or("expected CRLF after a bulk string")?;
        parts.push(part);
    }
    Ok(Some(input.len() - rest.len()))
}

/// Takes the next line, without its end.
fn take_line<'a>(rest: &mut &'a [u8]) -> Result<Option<&'a [u8]>, &'static str> {
    const LINE_BYTES_MAX: usize = 64 << 10;
    let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
        return if rest.len() > LINE_BYTES_MAX {
            Err("too big a line")
        } else {
            Ok(None)
        };
    };
    let line = &rest[..end];
    *rest = &rest[end + 1..];
    Ok(Some(line.strip_suffix(b"\r").unwrap_or(line)))
}

fn number(digits: &[u8], max: usize) -> Option<usize> {
    let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (number <= max).then_some(number)
}
