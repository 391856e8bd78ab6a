//! The programs in the guides are the ones that the checks run.

#[test]
fn the_receivers_of_the_guide_are_the_tested_ones() {
    let guide = include_str!("../../../../docs/notifications.md");
    for receiver in [
        include_str!("../../../../clients/python/receiver.py"),
        include_str!("../../../../clients/javascript/receiver.mjs"),
    ] {
        assert!(guide.contains(receiver), "the guide shows another than\n{receiver}");
    }
}

#[test]
fn the_program_of_the_readme_is_the_one_that_is_tried() {
    let program = include_str!("../../../../clients/python/read.py");
    assert!(include_str!("../../../../README.md").contains(program), "the README shows another");
}

#[test]
fn the_conformance_tables_name_existing_tests() {
    let mut tests = include_str!("notifications.rs").to_owned();
    for folder in ["", "/emulator", "/language", "/logs", "/notifications", "/protocol"] {
        let folder = format!("{}/tests/wire{folder}", env!("CARGO_MANIFEST_DIR"));
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.is_file() {
                tests += &std::fs::read_to_string(path).unwrap();
            }
        }
    }
    for (table, least) in [
        (include_str!("../../../../docs/notifications-conformance.md"), 40),
        (include_str!("../../../../docs/graph-conformance.md"), 40),
        (include_str!("../../../../docs/odata-conformance.md"), 100),
    ] {
        let is_rule = |line: &&str| line.starts_with("| ") && !line.ends_with("| test |");
        let mut count = 0;
        for row in table.lines().filter(is_rule) {
            let cell = row.trim_end_matches('|').rsplit('|').next().unwrap();
            let names: Vec<_> = cell.split('`').skip(1).step_by(2).collect();
            assert!(!names.is_empty(), "a rule without a test: {row}");
            for name in names {
                assert!(tests.contains(&format!("#[test]\nfn {name}()")), "no test {name}");
            }
            count += 1;
        }
        assert!(count > least, "{count} rules");
    }
}
