//! Counts tests out of the summary lines that test runners print.

use std::fmt;

/// A program that runs tests and sums them up in its own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TestRunner {
    /// `Summary [ 1.2s] 12 tests run: 11 passed, 1 failed, 0 skipped`
    Nextest,
    /// `test result: ok. 3 passed; 0 failed; ...`, one line a test binary
    Libtest,
    /// `Tests  1 failed | 11 passed (12)`
    Vitest,
    /// `2 failed` and `3 passed (4.1s)`, each on a line of its own
    Playwright,
}

/// Tests that passed and failed so far, over all runners, with the summary lines as they came.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) lines: Vec<String>,
}

impl Tally {
    /// Takes in one line of output; lines that are no summary change nothing.
    pub(crate) fn read(&mut self, runner: TestRunner, line: &str) {
        let line = line.trim();
        if !is_summary(runner, line) {
            return;
        }
        let (passed, failed) = counts(line);
        if passed + failed == 0 {
            return;
        }
        self.passed += passed;
        self.failed += failed;
        self.lines.push(format!("{}: {line}", runner.name()));
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

impl TestRunner {
    fn name(self) -> &'static str {
        match self {
            Self::Nextest => "nextest",
            Self::Libtest => "cargo test",
            Self::Vitest => "vitest",
            Self::Playwright => "playwright",
        }
    }
}

fn is_summary(runner: TestRunner, line: &str) -> bool {
    match runner {
        TestRunner::Nextest => line.starts_with("Summary [") && line.contains(" run: "),
        TestRunner::Libtest => line.starts_with("test result: "),
        TestRunner::Vitest => line.starts_with("Tests  "),
        TestRunner::Playwright => {
            let mut words = line.split_whitespace();
            let counted = words.next().is_some_and(|word| word.parse::<u64>().is_ok());
            let outcome = words.next();
            let rest = words.next();
            counted
                && matches!(outcome, Some("passed" | "failed" | "flaky"))
                && rest.is_none_or(|time| time.starts_with('('))
        }
    }
}

/// Passed and failed counts of a summary line. A flaky test passed in the end; nextest's
/// "timed out" and "exec failed" are failures.
fn counts(line: &str) -> (u64, u64) {
    let words: Vec<&str> = line
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')'))
        .filter(|word| !word.is_empty())
        .collect();
    let mut passed = 0;
    let mut failed = 0;
    let mut in_passed = false;
    for pair in words.windows(2) {
        let [count, what] = pair else { continue };
        let Ok(count) = count.parse::<u64>() else {
            continue;
        };
        match *what {
            "passed" => {
                passed += count;
                in_passed = true;
            }
            // Inside nextest's `11 passed (2 flaky)` they are counted already.
            "flaky" if !in_passed => passed += count,
            "failed" | "timed" | "exec" => failed += count,
            _ => {}
        }
    }
    (passed, failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summary_lines_of_all_runners() {
        use TestRunner::{Libtest, Nextest, Playwright, Vitest};
        let table = [
            (Nextest, "     Summary [   0.123s] 12 tests run: 12 passed, 0 skipped", (12, 0)),
            (
                Nextest,
                "     Summary [  9.1s] 14/20 tests run: 11 passed (1 slow, 2 flaky), 1 failed, 1 exec failed, 1 timed out, 3 skipped",
                (11, 3),
            ),
            (Nextest, "        PASS [   0.004s] xtask tally::tests::x 12 passed", (0, 0)),
            (
                Libtest,
                "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s",
                (3, 0),
            ),
            (Libtest, "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out", (2, 1)),
            (Vitest, "      Tests  34 passed (34)", (34, 0)),
            (Vitest, "      Tests  1 failed | 11 passed | 2 skipped (14)", (11, 1)),
            (Vitest, " Test Files  4 passed (4)", (0, 0)),
            (Playwright, "  3 passed (12.3s)", (3, 0)),
            (Playwright, "  2 failed", (0, 2)),
            (Playwright, "  1 flaky", (1, 0)),
            (Playwright, "  1 failed to load something", (0, 0)),
            (Playwright, "  ✓  1 overview.spec.ts:3:1 › 3 passed", (0, 0)),
        ];
        for (runner, line, (passed, failed)) in table {
            let mut tally = Tally::default();
            tally.read(runner, line);
            assert_eq!((tally.passed, tally.failed), (passed, failed), "{runner:?}: {line}");
        }
    }

    #[test]
    fn prints_one_plain_line() {
        let mut tally = Tally::default();
        tally.read(TestRunner::Vitest, "Tests  34 passed (34)");
        tally.read(TestRunner::Playwright, "2 passed (1.0s)");
        assert_eq!(tally.to_string(), "36 passed, 0 failed");
    }
}
