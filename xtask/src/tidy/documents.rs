//! Rules for documents: the two READMEs agree, the glossary is there, links lead somewhere.

use std::path::Path;

use super::Source;

const REQUIRED: [&str; 8] = [
    "README.md",
    "README.zh-CN.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "LICENSE",
    "docs/glossary.md",
    "docs/decisions/README.md",
];

pub(super) fn check(root: &Path, files: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for required in REQUIRED {
        if !files.iter().any(|file| file.path == required) {
            faults.push(format!("{required}: is missing"));
        }
    }
    faults.extend(readmes_differ(files));
    for file in files.iter().filter(|file| file.extension() == "md") {
        faults.extend(dead_links(root, file));
    }
    faults.extend(unknown_names(files));
    faults
}

/// Names in the glossary's column "in code" that no crate has.
fn unknown_names(files: &[Source]) -> Vec<String> {
    let Some(glossary) = files.iter().find(|file| file.path == "docs/glossary.md") else {
        return Vec::new();
    };
    let in_code = |name: &str| match name.strip_suffix('/') {
        Some(_) => files.iter().any(|file| file.path.starts_with(name)),
        None => files.iter().any(|file| file.path.starts_with("crates/") && file.text.contains(name)),
    };
    let mut faults = Vec::new();
    for (number, line) in prose_lines(&glossary.text) {
        let Some(column) = line.split('|').nth(3) else {
            continue;
        };
        for name in column.split('`').skip(1).step_by(2) {
            if !in_code(name) {
                faults.push(format!("{}:{number}: `{name}` is not in the code", glossary.path));
            }
        }
    }
    faults
}

/// The same levels in the same order: one README must not tell what the other leaves out.
fn readmes_differ(files: &[Source]) -> Option<String> {
    let text = |path: &str| files.iter().find(|file| file.path == path).map(|file| file.text.as_str());
    let english = heading_levels(text("README.md")?);
    let chinese = heading_levels(text("README.zh-CN.md")?);
    (english != chinese).then(|| {
        format!(
            "README.zh-CN.md: {} headings against {} in README.md, or in another order; they say the same",
            chinese.len(),
            english.len()
        )
    })
}

fn heading_levels(text: &str) -> Vec<usize> {
    prose_lines(text)
        .map(|(_, line)| line.chars().take_while(|c| *c == '#').count())
        .filter(|level| *level > 0)
        .collect()
}

/// Relative links whose target does not exist.
fn dead_links(root: &Path, file: &Source) -> Vec<String> {
    let folder = root.join(&file.path).parent().map_or_else(|| root.to_path_buf(), Path::to_path_buf);
    let mut faults = Vec::new();
    for (number, line) in prose_lines(&file.text) {
        for target in line.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = target.split('#').next().unwrap_or_default();
            if path.is_empty() || path.contains("://") || path.starts_with("mailto:") {
                continue;
            }
            if !folder.join(path).exists() {
                faults.push(format!("{}:{number}: link to {path}, which is not there", file.path));
            }
        }
    }
    faults
}

/// Lines with their numbers, without fenced code.
fn prose_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let fence = line.trim_start().starts_with("```");
        if fence {
            fenced = !fenced;
        }
        (!fenced && !fence).then_some((index + 1, line))
    })
}

#[cfg(test)]
mod tests {
    use super::super::source;
    use super::*;

    #[test]
    fn headings_are_compared_and_code_is_not_prose() {
        let english = source("README.md", "# Onus\n## Start\n```\n# a comment\n```\n");
        let same = source("README.zh-CN.md", "# Onus\n## 开始\n");
        let short = source("README.zh-CN.md", "# Onus\n");
        assert_eq!(readmes_differ(&[english, same]), None);
        let english = source("README.md", "# Onus\n## Start\n");
        assert!(readmes_differ(&[english, short]).is_some());
    }

    #[test]
    fn glossary_names_exist() {
        let files = [
            source(
                "docs/glossary.md",
                "| shares | 比例 | `Shares` | `percent` |\n| pack | 包 | `packs/`, `Gone` | |\n",
            ),
            source("crates/model/src/shares.rs", "pub struct Shares;"),
            source("packs/default.toml", ""),
        ];
        assert_eq!(unknown_names(&files), ["docs/glossary.md:2: `Gone` is not in the code"]);
    }

    #[test]
    fn dead_links_are_named_with_their_line() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("there.md"), "").unwrap();
        let text = "[a](there.md#part) [b](https://example.org)\n\n[c](gone.md) [d](#here)\n";
        let faults = dead_links(folder.path(), &source("README.md", text));
        assert_eq!(faults, ["README.md:3: link to gone.md, which is not there"]);
    }
}
