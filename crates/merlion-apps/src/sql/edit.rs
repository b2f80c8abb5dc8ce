//! A line while it is typed: what each key does to it. It knows no terminal.

use console::Key;

/// What a key has brought about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// The line or the place in it may have changed.
    Edited,
    /// The line is ready.
    Entered,
    /// Ctrl-C.
    Interrupted,
    /// Ctrl-D on an empty line.
    Ended,
}

/// A line, a place in it, and the lines before it.
#[derive(Debug)]
pub(super) struct Edit<'a> {
    text: Vec<char>,
    at: usize,
    history: &'a [String],
    /// Which line of the history is shown; the one after the last is the one being typed.
    shown: usize,
    /// What was typed before the history was shown.
    typed: Vec<char>,
}

impl<'a> Edit<'a> {
    pub(super) fn new(history: &'a [String]) -> Self {
        Self { text: Vec::new(), at: 0, history, shown: history.len(), typed: Vec::new() }
    }

    /// The line.
    pub(super) fn text(&self) -> String {
        self.text.iter().collect()
    }

    /// The part of the line that fits into `width` columns with the place in it, and the column of the place.
    pub(super) fn window(&self, width: usize) -> (String, usize) {
        let width = width.max(2);
        let first = (self.at + 1).saturating_sub(width);
        let last = self.text.len().min(first + width - 1);
        (self.text[first..last].iter().collect(), self.at - first)
    }

    /// What a key does.
    pub(super) fn key(&mut self, key: &Key) -> Effect {
        match key {
            Key::Enter => return Effect::Entered,
            Key::CtrlC => return Effect::Interrupted,
            Key::Char(CTRL_D) if self.text.is_empty() => return Effect::Ended,
            Key::Char(CTRL_D) | Key::Del => self.remove(self.at, self.at + 1),
            Key::Backspace => self.remove(self.at.saturating_sub(1), self.at),
            Key::ArrowLeft | Key::Char(CTRL_B) => self.at = self.at.saturating_sub(1),
            Key::ArrowRight | Key::Char(CTRL_F) => self.at = self.text.len().min(self.at + 1),
            Key::Home => self.at = 0,
            Key::End => self.at = self.text.len(),
            Key::ArrowUp | Key::Char(CTRL_P) => self.show(self.shown.saturating_sub(1)),
            Key::ArrowDown | Key::Char(CTRL_N) => self.show(self.history.len().min(self.shown + 1)),
            Key::Char(CTRL_K) => self.remove(self.at, self.text.len()),
            Key::Char(CTRL_U) => self.remove(0, self.at),
            Key::Char(CTRL_W) => self.remove(self.word(), self.at),
            Key::Tab => self.insert(' '),
            Key::Char(letter) if !letter.is_control() => self.insert(*letter),
            _ => {}
        }
        Effect::Edited
    }

    fn insert(&mut self, letter: char) {
        self.text.insert(self.at, letter);
        self.at += 1;
    }

    fn remove(&mut self, from: usize, to: usize) {
        self.text.drain(from..to.min(self.text.len()));
        self.at = from;
    }

    /// Where the word before the place begins.
    fn word(&self) -> usize {
        let before = &self.text[..self.at];
        let end = before.iter().rposition(|letter| !letter.is_whitespace()).map_or(0, |last| last + 1);
        before[..end].iter().rposition(|letter| letter.is_whitespace()).map_or(0, |space| space + 1)
    }

    fn show(&mut self, line: usize) {
        if line == self.shown {
            return;
        }
        if self.shown == self.history.len() {
            self.typed.clone_from(&self.text);
        }
        self.text = self.history.get(line).map_or_else(|| self.typed.clone(), |line| line.chars().collect());
        self.at = self.text.len();
        self.shown = line;
    }
}

const CTRL_B: char = '\x02';
const CTRL_D: char = '\x04';
const CTRL_F: char = '\x06';
const CTRL_K: char = '\x0b';
const CTRL_N: char = '\x0e';
const CTRL_P: char = '\x10';
const CTRL_U: char = '\x15';
const CTRL_W: char = '\x17';

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(edit: &mut Edit<'_>, text: &str) {
        for letter in text.chars() {
            assert_eq!(edit.key(&Key::Char(letter)), Effect::Edited);
        }
    }

    #[test]
    fn keys_change_the_line_where_the_place_is() {
        let mut edit = Edit::new(&[]);
        typed(&mut edit, "SELCT ä");
        for _ in 0..4 {
            edit.key(&Key::ArrowLeft);
        }
        typed(&mut edit, "E");
        assert_eq!(edit.text(), "SELECT ä");
        edit.key(&Key::End);
        edit.key(&Key::Backspace);
        typed(&mut edit, "1 + 22");
        edit.key(&Key::Char(CTRL_W));
        assert_eq!(edit.text(), "SELECT 1 + ");
        edit.key(&Key::Home);
        edit.key(&Key::Del);
        assert_eq!(edit.text(), "ELECT 1 + ");
        edit.key(&Key::ArrowRight);
        edit.key(&Key::Char(CTRL_K));
        assert_eq!(edit.text(), "E");
        edit.key(&Key::Char(CTRL_U));
        assert_eq!((edit.text().as_str(), edit.key(&Key::Char(CTRL_D))), ("", Effect::Ended));
    }

    #[test]
    fn keys_at_the_ends_do_nothing() {
        let mut edit = Edit::new(&[]);
        for key in [Key::Backspace, Key::Del, Key::ArrowLeft, Key::ArrowRight, Key::ArrowUp, Key::ArrowDown] {
            assert_eq!(edit.key(&key), Effect::Edited);
            assert_eq!(edit.window(10), (String::new(), 0), "{key:?}");
        }
        assert_eq!(edit.key(&Key::Char(CTRL_W)), Effect::Edited);
    }

    #[test]
    fn the_history_is_walked_and_left_again() {
        let history = ["first".to_owned(), "second".to_owned()];
        let mut edit = Edit::new(&history);
        typed(&mut edit, "new");
        edit.key(&Key::ArrowUp);
        assert_eq!(edit.text(), "second");
        edit.key(&Key::ArrowUp);
        edit.key(&Key::ArrowUp);
        assert_eq!(edit.text(), "first");
        edit.key(&Key::ArrowDown);
        edit.key(&Key::ArrowDown);
        assert_eq!(edit.text(), "new");
    }

    #[test]
    fn a_long_line_is_seen_around_the_place() {
        let mut edit = Edit::new(&[]);
        typed(&mut edit, "0123456789");
        assert_eq!(edit.window(20), ("0123456789".to_owned(), 10));
        assert_eq!(edit.window(5), ("6789".to_owned(), 4));
        edit.key(&Key::Home);
        assert_eq!(edit.window(5), ("0123".to_owned(), 0));
    }
}
