//! Asks a terminal for lines, and remembers them from one session to the next.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use console::{Term, measure_text_width};

use super::edit::{Edit, Effect};

/// How many lines are remembered.
const REMEMBERED: usize = 1000;

/// What the user has entered.
#[derive(Debug)]
pub(super) enum Line {
    Text(String),
    /// Ctrl-C.
    Interrupted,
    /// Ctrl-D.
    Ended,
}

/// A terminal, and the lines it was given.
#[derive(Debug)]
pub(super) struct Prompt {
    /// Standard error, so that results can be redirected.
    term: Term,
    history: Vec<String>,
    file: Option<PathBuf>,
}

impl Prompt {
    pub(super) fn new() -> Self {
        let file = std::env::var_os("MERLION_HISTORY")
            .map(PathBuf::from)
            .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".merlion_history")))
            .filter(|path| !path.as_os_str().is_empty());
        // Without a history there is still a prompt.
        let text = file.as_ref().and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let history = lines[lines.len().saturating_sub(REMEMBERED)..].to_vec();
        if let Some(path) = file.as_ref().filter(|_| lines.len() > 2 * REMEMBERED) {
            let _ = fs::write(path, history.join("\n") + "\n");
        }
        Self { term: Term::stderr(), history, file }
    }

    /// Asks for a line.
    pub(super) fn read_line(&mut self, lead: &str) -> io::Result<Line> {
        let mut edit = Edit::new(&self.history);
        let line = loop {
            self.draw(lead, &edit)?;
            match edit.key(&self.term.read_key_raw()?) {
                Effect::Edited => {}
                Effect::Entered => break Line::Text(edit.text()),
                Effect::Interrupted => break Line::Interrupted,
                Effect::Ended => break Line::Ended,
            }
        };
        self.term.write_line("")?;
        if let Line::Text(text) = &line {
            self.remember(text);
        }
        Ok(line)
    }

    fn draw(&self, lead: &str, edit: &Edit<'_>) -> io::Result<()> {
        let width = usize::from(self.term.size().1).saturating_sub(lead.len());
        let (text, column) = edit.window(width);
        let after: String = text.chars().skip(column).collect();
        self.term.clear_line()?;
        self.term.write_str(&format!("{lead}{text}"))?;
        match measure_text_width(&after) {
            0 => Ok(()),
            columns => self.term.move_cursor_left(columns),
        }
    }

    fn remember(&mut self, line: &str) {
        if line.trim().is_empty() || self.history.last().is_some_and(|last| last == line) {
            return;
        }
        self.history.push(line.to_owned());
        let Some(path) = &self.file else { return };
        // What one types is nobody else's business.
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
        let written = file.and_then(|mut file| writeln!(file, "{line}"));
        if let Err(error) = written {
            log::warn!("{}: {error}; the history ends with this session", path.display());
            self.file = None;
        }
    }
}
