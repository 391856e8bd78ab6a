//! What was measured, as rows: kept in `docs/benchmarks.tsv`, so that parts can be measured anew, and
//! shown in `docs/benchmarks.md`.

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Microseconds of processor time for one request.
    CpuMicros,
    /// So many a second.
    PerSecond,
    /// Milliseconds that pass.
    Millis,
    /// MiB of memory.
    MiB,
    /// Bytes.
    Bytes,
}

/// A median with the least and the most there was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    pub(super) median: f64,
    pub(super) least: f64,
    pub(super) most: f64,
}

/// What was measured in the same run, for comparison.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reference {
    pub(super) name: String,
    pub(super) range: Range,
}

/// One case.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// The part of the benchmark that measures it.
    pub(super) part: String,
    pub(super) case: String,
    pub(super) unit: Unit,
    pub(super) ours: Range,
    pub(super) reference: Option<Reference>,
    /// What the ratio should at least be; without a reference, what the figure should at most be.
    pub(super) aim: Option<f64>,
    /// Microseconds within which half, 99 % and 99.9 % of our answers came.
    pub(super) latency: Option<[f64; 3]>,
}

impl Unit {
    const ALL: [Self; 5] = [Self::CpuMicros, Self::PerSecond, Self::Millis, Self::MiB, Self::Bytes];

    fn name(self) -> &'static str {
        match self {
            Self::CpuMicros => "CPU µs",
            Self::PerSecond => "/s",
            Self::Millis => "ms",
            Self::MiB => "MiB",
            Self::Bytes => "bytes",
        }
    }

    fn more_is_better(self) -> bool {
        self == Self::PerSecond
    }
}

impl Range {
    pub(super) fn of(values: Vec<f64>) -> Self {
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Self { median: super::median(values), least, most }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { median, least, most } = *self;
        write!(f, "{} ({} to {})", Figure(median), Figure(least), Figure(most))
    }
}

/// Three digits that count, and thousands set apart.
struct Figure(f64);

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.0;
        if value < 10.0 {
            return write!(f, "{value:.2}");
        }
        if value < 100.0 {
            return write!(f, "{value:.1}");
        }
        let digits = format!("{value:.0}");
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

impl Row {
    /// A row of a part, yet to be filled in.
    pub(super) fn of(part: &str) -> Self {
        Self {
            part: part.to_owned(),
            case: String::new(),
            unit: Unit::CpuMicros,
            ours: Range::of(Vec::new()),
            reference: None,
            aim: None,
            latency: None,
        }
    }

    /// How we compare: above 1 we are better.
    pub(super) fn ratio(&self) -> Option<f64> {
        let reference = self.reference.as_ref()?.range.median;
        let ours = self.ours.median;
        Some(if self.unit.more_is_better() { ours / reference } else { reference / ours })
    }

    /// Whether the aim was met, if there is one.
    pub(super) fn meets_its_aim(&self) -> Option<bool> {
        let aim = self.aim?;
        // What is shown is what counts: two digits behind the point.
        Some(match self.ratio() {
            Some(ratio) => (ratio * 100.0).round() >= (aim * 100.0).round(),
            None => self.ours.median <= aim,
        })
    }

    /// Where it is told why the aim was not met.
    fn reason(&self) -> &'static str {
        match self.part.as_str() {
            "notify" => "notifications.md",
            "postgres" => "scale.md",
            "peers" => "performance.md#compared-with-a-peer",
            "sizes" => "performance.md#larger-stores",
            "writes" => "performance.md#writing",
            "life" => "performance.md#memory",
            "columns" => "performance.md#columns",
            _ if self.case.contains("page") => "performance.md#lists",
            _ if self.case.contains("expanded") => "performance.md#get-expanded",
            _ => "performance.md#get-by-id",
        }
    }

    fn line(&self) -> String {
        let Self { part, case, unit, ours, reference, aim, latency } = self;
        let number = |number: f64| format!("{number:.3}");
        let mut fields = vec![part.clone(), case.clone(), unit.name().to_owned()];
        fields.extend([ours.median, ours.least, ours.most].map(number));
        match reference {
            None => fields.extend(std::iter::repeat_n(String::new(), 4)),
            Some(Reference { name, range }) => {
                fields.push(name.clone());
                fields.extend([range.median, range.least, range.most].map(number));
            }
        }
        fields.push(aim.map_or_else(String::new, number));
        match latency {
            None => fields.extend(std::iter::repeat_n(String::new(), 3)),
            Some(latency) => fields.extend(latency.map(number)),
        }
        fields.join("\t")
    }

    fn read(line: &str) -> Result<Self> {
        let fields: Vec<&str> = line.split('\t').collect();
        ensure!(fields.len() == 14, "not 14 fields: {line}");
        let unit = Unit::ALL.into_iter().find(|unit| unit.name() == fields[2]).context("unit")?;
        let number = |place: usize| fields[place].parse::<f64>();
        let range = |place: usize| -> Result<Range> {
            Ok(Range {
                median: number(place)?,
                least: number(place + 1)?,
                most: number(place + 2)?,
            })
        };
        let reference = match fields[6] {
            "" => None,
            name => Some(Reference { name: name.to_owned(), range: range(7)? }),
        };
        let aim = if fields[10].is_empty() { None } else { Some(number(10)?) };
        let latency = match fields[11] {
            "" => None,
            _ => Some([number(11)?, number(12)?, number(13)?]),
        };
        let (part, case) = (fields[0].to_owned(), fields[1].to_owned());
        Ok(Self { part, case, unit, ours: range(3)?, reference, aim, latency })
    }
}

/// The first line of the file of rows.
const HEAD: &str = "part\tcase\tunit\tmedian\tleast\tmost\treference\tits median\tits least\tits most\taim\tp50 µs\tp99 µs\tp99.9 µs";

/// The rows of a file; none if there is no such file.
pub(super) fn read(file: &Path) -> Result<Vec<Row>> {
    if !file.exists() {
        return Ok(Vec::new());
    }
    fs::read_to_string(file)?.lines().skip(1).map(Row::read).collect()
}

/// Writes rows to a file.
pub(super) fn write(file: &Path, rows: &[Row]) -> Result<()> {
    let mut text = format!("{HEAD}\n");
    for row in rows {
        text.extend([row.line().as_str(), "\n"]);
    }
    Ok(fs::write(file, text)?)
}

/// Rows as a table of Markdown.
pub(super) fn markdown<'r>(rows: impl Iterator<Item = &'r Row>) -> String {
    let mut text = String::from(
        "| case | | Callvault | reference | ratio | target | p50, p99, p99.9 µs |\n\
         |---|---|---:|---:|---:|---:|---:|\n",
    );
    for row in rows {
        let reference = row.reference.as_ref();
        let reference = reference.map_or_else(String::new, |reference| {
            format!("{} {}", reference.name, reference.range)
        });
        let ratio = row.ratio().map_or_else(String::new, |ratio| format!("**{ratio:.2}**"));
        let aim = match (row.aim, row.meets_its_aim()) {
            (Some(aim), Some(true)) => format!("{} ✓", Figure(aim)),
            (Some(aim), _) => format!("{} – [why]({})", Figure(aim), row.reason()),
            (None, _) => String::new(),
        };
        let latency = row.latency.map_or_else(String::new, |latency| {
            latency.map(|value| Figure(value).to_string()).join(", ")
        });
        let Row { case, unit, ours, .. } = row;
        let line = format!(
            "| {case} | {} | {ours} | {reference} | {ratio} | {aim} | {latency} |\n",
            unit.name()
        );
        text.push_str(&line);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        Row {
            part: "reads".to_owned(),
            case: "GET by id".to_owned(),
            unit: Unit::CpuMicros,
            ours: Range { median: 10.0, least: 9.0, most: 12_345.0 },
            reference: Some(Reference {
                name: "nginx".to_owned(),
                range: Range { median: 9.5, least: 9.0, most: 10.0 },
            }),
            aim: Some(0.95),
            latency: Some([100.0, 200.0, 300.5]),
        }
    }

    #[test]
    fn rows_come_back_from_their_lines() {
        let bare = Row { reference: None, aim: None, latency: None, ..row() };
        for row in [row(), bare] {
            assert_eq!(Row::read(&row.line()).unwrap(), row);
        }
    }

    #[test]
    fn less_time_and_more_a_second_are_better() {
        assert!((row().ratio().unwrap() - 0.95).abs() < 1e-9);
        let rate = Row { unit: Unit::PerSecond, ..row() };
        assert!((rate.ratio().unwrap() - 10.0 / 9.5).abs() < 1e-9);
    }

    #[test]
    fn aims_are_kept_by_ratios_from_below_and_by_figures_from_above() {
        assert_eq!(row().meets_its_aim(), Some(true));
        assert_eq!(Row { aim: Some(0.96), ..row() }.meets_its_aim(), Some(false));
        let memory = Row { unit: Unit::MiB, reference: None, aim: Some(10.0), ..row() };
        assert_eq!(memory.meets_its_aim(), Some(true));
        assert_eq!(Row { aim: Some(9.0), ..memory }.meets_its_aim(), Some(false));
        assert_eq!(Row { aim: None, ..row() }.meets_its_aim(), None);
    }

    #[test]
    fn tables_say_whether_an_aim_was_met() {
        let text = markdown([row()].iter());
        let missed = markdown([Row { aim: Some(0.96), ..row() }].iter());
        assert!(missed.contains("| 0.96 – [why](performance.md#get-by-id) |"), "{missed}");
        let line = text.lines().last().unwrap();
        assert_eq!(
            line,
            "| GET by id | CPU µs | 10.0 (9.00 to 12,345) | nginx 9.50 (9.00 to 10.0) | **0.95** \
             | 0.95 ✓ | 100, 200, 300 |"
        );
    }
}
