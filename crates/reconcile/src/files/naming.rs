//! What the name of a file says: its day, and its number among the files of that day.

use super::dates::{Day, day_of, write_day};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Letter(char),
    /// `?`
    One,
    /// `*`
    Any,
    /// `{yyyymmdd}`
    Date,
    /// `{yymmdd}`
    ShortDate,
    /// `{mmdd}`
    DayOfYear,
    /// `{seq}`
    Number,
}

/// How files of a kind are named, such as `CLR_{yyyymmdd}_{seq}.csv*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamePattern {
    text: String,
    tokens: Vec<Token>,
}

/// Month and day, with the year where the name has it.
type Written = (Option<u32>, u32, u32);

/// What one name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Said {
    date: Option<Written>,
    number: Option<u64>,
}

impl NamePattern {
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        let mut tokens = Vec::new();
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            let (token, length) = match letter {
                '?' => (Token::One, 1),
                '*' => (Token::Any, 1),
                '{' => {
                    let end = rest.find('}').ok_or("name: a { is not closed")?;
                    let token = match &rest[..=end] {
                        "{yyyymmdd}" => Token::Date,
                        "{yymmdd}" => Token::ShortDate,
                        "{mmdd}" => Token::DayOfYear,
                        "{seq}" => Token::Number,
                        other => {
                            return Err(format!("name: {other} is none of {{yyyymmdd}} {{yymmdd}} {{mmdd}} {{seq}}"));
                        }
                    };
                    (token, end + 1)
                }
                _ => (Token::Letter(letter), letter.len_utf8()),
            };
            tokens.push(token);
            rest = &rest[length..];
        }
        Ok(Self { text: text.to_owned(), tokens })
    }

    /// Why each of the files of a run must not be used, by their names: another form, another day, or one is missing.
    pub(crate) fn faults(&self, names: &[String], day: Option<Day>) -> Vec<Option<String>> {
        let said: Vec<Option<Said>> = names.iter().map(|name| read(&self.tokens, name, Said::default())).collect();
        let mut numbers: Vec<u64> = said.iter().flatten().filter_map(|said| said.number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        said.iter()
            .map(|said| match said {
                None => Some(format!("its name is not of the form {}", self.text)),
                Some(said) => wrong_day(*said, day).or_else(|| missing_before(*said, &numbers)),
            })
            .collect()
    }
}

fn wrong_day(said: Said, day: Option<Day>) -> Option<String> {
    let (date, day) = (said.date?, day?);
    let (year, month, number) = date;
    let mut text = Vec::new();
    write_day(day, &mut text);
    let text = String::from_utf8_lossy(&text).into_owned();
    let year_of_day = text.get(..4).and_then(|year| year.parse().ok()).unwrap_or(0);
    let named = day_of(year.unwrap_or(year_of_day), month, number);
    (named != Some(day)).then(|| format!("its name says another day than {text}"))
}

/// A file behind a gap is refused: what should stand before it is not there.
fn missing_before(said: Said, numbers: &[u64]) -> Option<String> {
    let number = said.number?;
    let before = number.checked_sub(1).filter(|before| *before > 0)?;
    numbers.binary_search(&before).is_err().then(|| format!("it is number {number}; number {before} is not there"))
}

fn read(tokens: &[Token], name: &str, said: Said) -> Option<Said> {
    let Some((token, rest)) = tokens.split_first() else { return name.is_empty().then_some(said) };
    let after = |count: usize| name.char_indices().map(|(at, _)| at).chain([name.len()]).nth(count);
    let digits = |from: usize, to: usize| {
        let part = name.get(from..to).filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()))?;
        part.parse::<u32>().ok()
    };
    match token {
        Token::Letter(letter) => read(rest, name.strip_prefix(*letter)?, said),
        Token::One => read(rest, name.get(after(1)?..).filter(|_| !name.is_empty())?, said),
        Token::Any => {
            let ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
            ends.filter_map(|at| read(rest, &name[at..], said)).next()
        }
        Token::Date => {
            let date = Some((Some(digits(0, 4)?), digits(4, 6)?, digits(6, 8)?));
            read(rest, name.get(8..)?, Said { date, ..said })
        }
        Token::ShortDate => {
            let date = Some((Some(2_000 + digits(0, 2)?), digits(2, 4)?, digits(4, 6)?));
            read(rest, name.get(6..)?, Said { date, ..said })
        }
        Token::DayOfYear => {
            let date = Some((None, digits(0, 2)?, digits(2, 4)?));
            read(rest, name.get(4..)?, Said { date, ..said })
        }
        Token::Number => {
            let length = name.bytes().take_while(u8::is_ascii_digit).count().min(18);
            let number = Some(name.get(..length)?.parse().ok()?);
            read(rest, &name[length..], Said { number, ..said })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::dates::read_day;
    use super::*;

    #[test]
    fn names_say_day_and_number() {
        let day = read_day("2026-03-12");
        let table: [(&str, &[&str], &[&str]); 8] = [
            ("CLR_{yyyymmdd}_{seq}.csv*", &["CLR_20260312_1.csv", "CLR_20260312_02.csv.gz"], &["", ""]),
            ("CLR_{yyyymmdd}_{seq}.csv*", &["CLR_20260313_1.csv"], &["another day than 2026-03-12"]),
            (
                "CLR_{yyyymmdd}_{seq}.csv*",
                &["CLR_20260312_1.csv", "CLR_20260312_3.csv"],
                &["", "it is number 3; number 2 is not there"],
            ),
            (
                "IN?{yymmdd}88ZM_*",
                &["INN26031288ZM_01030000", "INN26031188ZM_x", "x"],
                &["", "another day", "not of the form"],
            ),
            ("{mmdd}*", &["0312", "0311a"], &["", "another day"]),
            ("*{seq}", &["a12", "b"], &["number 11 is not there", "not of the form"]),
            ("{yyyymmdd}", &["20260230", "2026031"], &["another day", "not of the form"]),
            ("?", &["张", ""], &["", "not of the form"]),
        ];
        for (pattern, names, expected) in table {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let faults = NamePattern::new(pattern).unwrap().faults(&names, day);
            for (fault, expected) in faults.iter().zip(expected) {
                let fault = fault.as_deref().unwrap_or_default();
                assert!(
                    fault.contains(expected) && fault.is_empty() == expected.is_empty(),
                    "{pattern} {names:?} {fault}"
                );
            }
        }
        assert!(NamePattern::new("a{yy}").is_err() && NamePattern::new("a{").is_err());
    }
}
