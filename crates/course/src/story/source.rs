//! The source files that a story names, for the page to show beside it.

use std::fmt::Write;
use std::fs;
use std::path::{Component, Path};

use super::page::escape;
use super::told::Told;

/// A longer file is no listing any more.
const MOST_LINES: usize = 400;

/// The files that the steps of a story name, as far as they lie in one of `folders`, each as a listing whose lines can be
/// found by their place.
pub fn listings(told: &Told, figure: &str, folders: &[&Path]) -> String {
    let mut files: Vec<&str> = Vec::new();
    for line in &told.lines {
        match line.place.rsplit_once(':') {
            Some((file, _)) if !files.contains(&file) => files.push(file),
            _ => {}
        }
    }
    let mut html = String::new();
    for file in files {
        let Some(text) = folders.iter().find_map(|folder| read(folder, file)) else {
            continue;
        };
        let name = escape(file);
        let _ = write!(
            html,
            "<h3><code>{name}</code></h3>\n<pre data-of=\"{figure}\" tabindex=\"0\" aria-label=\"{name}\"><code>"
        );
        for (n, line) in text.lines().enumerate() {
            let place = format!("{file}:{}", n + 1);
            let taken = told.lines.iter().any(|line| line.place == place);
            let class = if taken { " class=\"taken\"" } else { "" };
            let _ = write!(
                html,
                "<span data-place=\"{}\"{class}><i>{:>3}</i> {}\n</span>",
                escape(&place),
                n + 1,
                escape(line)
            );
        }
        html.push_str("</code></pre>\n");
    }
    html
}

/// The file's text, if it lies in this folder and is not too long. A story may name anything: nothing outside is read.
fn read(folder: &Path, file: &str) -> Option<String> {
    let file = Path::new(file);
    let inside = file
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    let text = inside.then(|| fs::read_to_string(folder.join(file)).ok())??;
    (text.lines().count() <= MOST_LINES).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::super::told::tests::keys;
    use super::*;

    #[test]
    fn the_lines_that_took_part_are_marked() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("src")).unwrap();
        let text = (1..=9).map(|n| format!("line <{n}>\n")).collect::<String>();
        fs::write(folder.path().join("src/lib.rs"), text).unwrap();
        let html = listings(&keys(), "story-0", &[Path::new("/nowhere"), folder.path()]);
        assert_eq!(html.matches("class=\"taken\"").count(), 4);
        assert!(
            html.contains(
                "data-place=\"src/lib.rs:5\" class=\"taken\"><i>  5</i> line &lt;5&gt;\n</span>"
            ),
            "{html}"
        );
    }

    #[test]
    fn nothing_outside_of_the_folders_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let (secret, inside) = (
            folder.path().join("secret.rs"),
            folder.path().join("inside"),
        );
        fs::write(&secret, "secret").unwrap();
        fs::create_dir(&inside).unwrap();
        for file in ["../secret.rs", secret.to_str().unwrap(), "./../secret.rs"] {
            assert_eq!(read(&inside, file), None, "{file}");
        }
        fs::write(inside.join("long.rs"), "\n".repeat(MOST_LINES + 1)).unwrap();
        assert_eq!(read(&inside, "long.rs"), None);
    }
}
