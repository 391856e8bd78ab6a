//! Instructions that each stage of a request takes, counted by callgrind: the same for the same program,
//! whatever else the machine does. They are noted in `docs/instructions.tsv`, and what has become more
//! since is an error.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use xtask::process;
use xtask::repository::{SHIPPED, fresh_folder, root, target};

/// How often a stage is done in the two runs whose difference is counted.
const COUNTS: [u64; 2] = [50, 150];
/// The function of the example that callgrind counts, with all that it calls.
const COUNTED: &str = "stages::repeat";
/// What a stage may take more than is noted.
const MORE: f64 = 1.05;
/// Stages that wait for the disk or for other threads, which takes any number of instructions.
const NOT_COUNTED: [&str; 1] = ["record: write and commit"];
const HEAD: &str = "stage\tinstructions";

/// Counts and compares, or notes what was counted.
pub(super) fn measure(is_noted: bool) -> Result<()> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        bail!("counting instructions needs valgrind (Debian: valgrind)");
    }
    let example = ["build", "--profile", SHIPPED, "-p", "callvault", "--example", "stages"];
    process::run(Command::new("cargo").args(example).current_dir(root()))?;
    let program = target().join(SHIPPED).join("examples/stages");
    let folder = fresh_folder("bench-instructions")?;
    process::run(Command::new(&program).arg("prepare").arg(&folder))?;
    let timed = process::output(Command::new(&program).arg(&folder))?;
    print!("{timed}");
    let file = root().join("docs/instructions.tsv");
    let noted = if file.exists() { read(&fs::read_to_string(&file)?)? } else { BTreeMap::new() };
    let (mut text, mut too_many) = (format!("{HEAD}\n"), Vec::new());
    for line in timed.lines() {
        let stage = line.split("  ").next().unwrap_or_default();
        if NOT_COUNTED.contains(&stage) {
            continue;
        }
        let counted = instructions(&program, &folder, stage)?;
        let before = noted.get(stage).copied();
        let change = before.map_or(String::new(), |before| {
            format!("  {:+.1} %", (counted as f64 / before as f64 - 1.0) * 100.0)
        });
        println!("{stage:<40} {counted:>10} instructions{change}");
        text.extend([stage, "\t", &counted.to_string(), "\n"]);
        if before.is_some_and(|before| counted as f64 > before as f64 * MORE) {
            too_many.push(stage);
        }
    }
    if is_noted {
        return Ok(fs::write(file, text)?);
    }
    if !too_many.is_empty() {
        bail!("more instructions than noted: {}", too_many.join(", "));
    }
    Ok(())
}

/// Instructions of a stage once, by the difference of two runs.
fn instructions(program: &Path, folder: &Path, stage: &str) -> Result<u64> {
    let [few, many] = COUNTS.map(|count| -> Result<u64> {
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
        valgrind.arg(format!("--toggle-collect={COUNTED}"));
        valgrind.arg(program).arg(folder).args([stage, &count.to_string()]);
        let output = valgrind.output()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if !output.status.success() {
            bail!("valgrind ended with {}:\n{said}", output.status);
        }
        let collected = said.lines().find_map(|line| line.split_once("Collected : "));
        collected.context("callgrind tells no number")?.1.trim().parse().context("its number")
    });
    Ok((many?.saturating_sub(few?)) / (COUNTS[1] - COUNTS[0]))
}

fn read(text: &str) -> Result<BTreeMap<String, u64>> {
    let line = |line: &str| {
        let (stage, count) = line.split_once('\t').context("a stage and its instructions")?;
        Ok((stage.to_owned(), count.parse()?))
    };
    text.lines().skip(1).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_read() {
        let noted = read("stage\tinstructions\nparse\t1200\n").unwrap();
        assert_eq!(noted.get("parse"), Some(&1200));
        assert!(read("head\nparse 1200\n").is_err());
    }
}
