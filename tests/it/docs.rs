//! The examples of the documentation, run as they stand.
//!
//! A block of `sh` or `sql` is run from the root of the repository. If a block of `text` follows at once, it is what the block
//! writes, standard output first, then standard error. An `sql` block without one defines what later blocks of the page use. Any
//! other word after the language (`sh on a cluster`) means that a block is not run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::{TempDir, tempdir};

/// A block of a page.
#[derive(Debug)]
struct Block {
    language: String,
    text: String,
    line: usize,
    /// Whether nothing but empty lines is between the block before and this one.
    adjacent: bool,
}

/// The blocks of a page.
fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let (mut open, mut adjacent) = (false, false);
    for (number, line) in page.lines().enumerate() {
        match (line.strip_prefix("```"), open) {
            (Some(language), false) => {
                blocks.push(Block {
                    language: language.trim().to_owned(),
                    text: String::new(),
                    line: number + 1,
                    adjacent,
                });
                open = true;
            }
            (Some(_), true) => (open, adjacent) = (false, true),
            (None, true) => {
                let block = blocks.last_mut().expect("an open block is the last");
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, false) => adjacent &= line.trim().is_empty(),
        }
    }
    assert!(!open, "the last block is not closed");
    blocks
}

/// What differs from run to run: seconds and ids.
fn steady(text: &str) -> String {
    let mut steady = String::new();
    for line in text.trim_end().lines() {
        let words: Vec<String> = line.trim_end().split(' ').map(str::to_owned).collect();
        for (at, word) in words.iter().enumerate() {
            if at > 0 {
                steady.push(' ');
            }
            let seconds =
                words.get(at + 1).is_some_and(|next| next == "s" || next == "s:") && word.parse::<f64>().is_ok();
            steady.push_str(if seconds { "…" } else { word });
        }
        steady.push('\n');
    }
    without_ids(&steady)
}

/// The text with each UUID replaced by a letter.
fn without_ids(text: &str) -> String {
    const SHAPE: &str = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    let fits = |at: usize| {
        text.get(at..at + SHAPE.len()).is_some_and(|piece| {
            piece.chars().zip(SHAPE.chars()).all(|(c, s)| if s == '-' { c == '-' } else { c.is_ascii_hexdigit() })
        })
    };
    let (mut result, mut at) = (String::new(), 0);
    while let Some(letter) = text[at..].chars().next() {
        if fits(at) {
            result.push('U');
            at += SHAPE.len();
        } else {
            result.push(letter);
            at += letter.len_utf8();
        }
    }
    result
}

/// A page while it is run.
struct Page {
    name: &'static str,
    root: PathBuf,
    /// Has the program in it under its own name, and what examples write to `target/`.
    folder: TempDir,
    /// What earlier `sql` blocks have defined.
    definitions: String,
}

impl Page {
    fn run(&mut self, block: &Block, output: Option<&Block>) {
        let here = format!("{}:{}", self.name, block.line);
        let target = format!("{}/", self.folder.path().join("target").display());
        let text = block.text.replace("target/", &target);
        let mut command = Command::new("sh");
        let path = format!("{}:{}", self.folder.path().display(), std::env::var("PATH").unwrap_or_default());
        command.current_dir(&self.root).env("PATH", path).env_remove("RUST_LOG").stdin(Stdio::null());
        if block.language == "sh" {
            command.args(["-c", &format!("exec 2>&1\n{text}")]);
        } else {
            let script = self.folder.path().join("block.sql");
            let definitions = self.folder.path().join("definitions.sql");
            fs::write(&script, &text).expect("a script can be written");
            fs::write(&definitions, &self.definitions).expect("a script can be written");
            command.args(["-c", "exec 2>&1\nmerlion sql --quiet --file \"$0\" --file \"$1\""]);
            command.arg(&definitions).arg(&script);
            if output.is_none() {
                self.definitions.push_str(&text);
            }
        }
        let ran = command.output().expect("sh is there");
        let written = String::from_utf8_lossy(&ran.stdout).replace(&target, "target/");
        let fails = output.is_some_and(|output| output.text.contains("error: "));
        assert_eq!(ran.status.success(), !fails, "{here}: {:?}\n{}\n{written}", ran.status.code(), block.text);
        if let Some(output) = output {
            assert_eq!(steady(&written), steady(&output.text), "{here} writes something else");
        }
    }
}

fn run_page(name: &'static str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the repository is there");
    let folder = tempdir().expect("a folder can be made");
    fs::create_dir(folder.path().join("target")).expect("a folder can be made");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_merlion-under-test"), folder.path().join("merlion"))
        .expect("a link can be made");
    let blocks = blocks(&fs::read_to_string(root.join(name)).expect("the page is there"));
    let mut page = Page { name, root, folder, definitions: String::new() };
    let mut run = 0;
    for (at, block) in blocks.iter().enumerate() {
        if matches!(block.language.as_str(), "sh" | "sql") {
            let output = blocks.get(at + 1).filter(|next| next.language == "text" && next.adjacent);
            page.run(block, output);
            run += 1;
        }
    }
    assert!(run > 0, "{name} has no example that can be run");
}

#[test]
fn the_examples_of_the_page_on_sql_do_what_it_says() {
    run_page("docs/sql.md");
}

#[test]
fn the_examples_of_the_page_on_forecasts_do_what_it_says() {
    run_page("docs/forecast.md");
}

#[test]
fn blocks_and_their_outputs_are_found() {
    let page = "```sh\na\n```\n\n```text\nb\n```\nwords\n```text\nc\n```\n";
    let found: Vec<(String, bool)> = blocks(page).into_iter().map(|b| (b.language + &b.text, b.adjacent)).collect();
    assert_eq!(found, [("sha\n".to_owned(), false), ("textb\n".to_owned(), true), ("textc\n".to_owned(), false)]);
    assert_eq!(steady("3 rows, 0.51 s: x  \n"), steady("3 rows, 12.7 s: x"));
    assert_ne!(steady("3 rows, 0.51 s"), steady("4 rows, 0.51 s"));
    assert_eq!(steady("part-0-5fe0e6a1-9c5f-4c0a-8f07-3f3f0e5c9a51-c.csv"), "part-0-U-c.csv\n");
}
