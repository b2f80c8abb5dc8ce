//! Where lines begin and end: Spark's (Hadoop's) rule that LF, CR and CRLF each end a record, whatever the quotes.
//!
//! Blank lines are no records, so CRLF needs no care: it is a line end and one more, with an empty line in between.

use memchr::memchr2;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// `file` without the UTF-8 byte order mark it may begin with. For the first bytes of a file only.
pub fn strip_bom(file: &[u8]) -> &[u8] {
    file.strip_prefix(BOM).unwrap_or(file)
}

/// Whether Spark passes over the line: nothing in it but blanks and control characters (Java's `trim`).
#[inline]
pub fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|&b| b <= b' ')
}

/// Offset of the end of the line (its line break, or the end of the bytes).
#[inline]
pub(crate) fn end_of_line(bytes: &[u8]) -> usize {
    memchr2(b'\n', b'\r', bytes).unwrap_or(bytes.len())
}

/// Offset just behind the last line break, 0 without one: everything before it is whole lines.
#[inline]
pub(crate) fn end_of_whole_lines(bytes: &[u8]) -> usize {
    memchr::memrchr2(b'\n', b'\r', bytes).map_or(0, |at| at + 1)
}

/// The first line that is not blank, and the bytes behind its line break: a file's header and its records.
///
/// `None` when there is no such line. The line counts as whole even if the bytes end before its line break.
///
/// ```
/// # use merlion_io::csv::first_line;
/// let (header, rest) = first_line(b"\r\na,b\r\n1,2\r\n").unwrap();
/// assert_eq!(header, b"a,b");
/// assert_eq!(rest, b"\n1,2\r\n"); // the empty line left of the CRLF is passed over later
/// ```
pub fn first_line(mut bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    while !bytes.is_empty() {
        let end = end_of_line(bytes);
        let (line, rest) = (&bytes[..end], bytes.get(end + 1..).unwrap_or_default());
        if !is_blank(line) {
            return Some((line, rest));
        }
        bytes = rest;
    }
    None
}

/// One byte range of a file, and the lines it owns: those that *begin* at a position within `start..end`.
///
/// Feed it the file's bytes in order from [`LineRange::fetch_from`]; it hands back the part that belongs to the range
/// and says when there is no more. Adjacent ranges give every line to exactly one of them.
///
/// ```
/// # use merlion_io::csv::LineRange;
/// let file = b"aaa\nbbb\nccc\n";
/// let mut range = LineRange::new(2, 6);
/// let bytes = &file[range.fetch_from() as usize..];
/// assert_eq!(range.take(bytes), b"bbb\n");
/// assert!(range.is_complete());
/// ```
#[derive(Debug, Clone)]
pub struct LineRange {
    start: u64,
    end: u64,
    /// Position in the file of the next byte to come.
    at: u64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Within a line that belongs to the range before.
    Before,
    /// Within the lines of the range.
    Within,
    /// Past the last of them.
    Complete,
}

impl LineRange {
    /// The lines that begin within `start..end`.
    pub fn new(start: u64, end: u64) -> Self {
        let state = match (start, end) {
            (s, e) if s >= e => State::Complete,
            (0, _) => State::Within,
            _ => State::Before,
        };
        Self { start, end, at: start.saturating_sub(1), state }
    }

    /// Position in the file of the first byte to feed: one before the range, to see whether a line begins with it.
    pub fn fetch_from(&self) -> u64 {
        self.start.saturating_sub(1)
    }

    /// The part of the file's next bytes that belongs to the range.
    pub fn take<'a>(&mut self, chunk: &'a [u8]) -> &'a [u8] {
        let chunk_at = self.at;
        self.at += chunk.len() as u64;
        let mut from = 0;
        if self.state == State::Before {
            match memchr2(b'\n', b'\r', chunk) {
                None => return &[],
                Some(at) => {
                    from = at + 1;
                    self.state = if chunk_at + from as u64 >= self.end { State::Complete } else { State::Within };
                }
            }
        }
        if self.state == State::Complete {
            return &[];
        }
        // The last line of the range is the one with the byte before `end`; a line break there ends it.
        let last = (self.end - 1).saturating_sub(chunk_at).max(from as u64);
        if last >= chunk.len() as u64 {
            return &chunk[from..];
        }
        let last = last as usize;
        match memchr2(b'\n', b'\r', &chunk[last..]) {
            None => &chunk[from..],
            Some(at) => {
                self.state = State::Complete;
                &chunk[from..last + at + 1]
            }
        }
    }

    /// Whether no byte further on in the file belongs to the range.
    pub fn is_complete(&self) -> bool {
        self.state == State::Complete
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(file: &[u8], start: u64, end: u64, chunk: usize) -> Vec<u8> {
        let mut range = LineRange::new(start, end);
        let mut out = Vec::new();
        for piece in file[range.fetch_from() as usize..].chunks(chunk) {
            if range.is_complete() {
                break;
            }
            out.extend_from_slice(range.take(piece));
        }
        out
    }

    #[test]
    fn every_cut_of_a_file_gives_each_line_to_one_range() {
        let file = b"a,b\r\n1,2\n\n\r3,\"x\ny\"\r\n\nlong line here\rlast";
        for cut in 0..=file.len() as u64 {
            for cut2 in cut..=file.len() as u64 {
                for chunk in [1, 3, 100] {
                    let mut all = lines_of(file, 0, cut, chunk);
                    all.extend(lines_of(file, cut, cut2, chunk));
                    all.extend(lines_of(file, cut2, file.len() as u64, chunk));
                    assert_eq!(all, file, "cuts {cut} and {cut2}, chunks of {chunk}");
                }
            }
        }
    }

    #[test]
    fn a_range_within_one_line_owns_nothing() {
        assert_eq!(lines_of(b"aaaaaaaa\nb\n", 2, 5, 4), b"");
        assert_eq!(lines_of(b"aaaaaaaa\nb\n", 0, 1, 4), b"aaaaaaaa\n");
        assert_eq!(lines_of(b"aaaaaaaa\nb\n", 9, 10, 4), b"b\n");
    }

    #[test]
    fn the_first_line_is_the_first_that_is_not_blank() {
        assert_eq!(first_line(b"a,b"), Some((&b"a,b"[..], &b""[..])));
        assert_eq!(first_line(b"\n  \t\na\rb"), Some((&b"a"[..], &b"b"[..])));
        assert_eq!(first_line(b" \n\n"), None);
        assert_eq!(strip_bom(b"\xef\xbb\xbfa"), b"a");
    }
}
