//! The programs that guides show are those that the checks run.

#[test]
fn the_receivers_of_the_guide_are_those_that_are_run() {
    let guide = include_str!("../../../../docs/notifications.md");
    for receiver in [
        include_str!("../../../../clients/python/receiver.py"),
        include_str!("../../../../clients/javascript/receiver.js"),
    ] {
        assert!(guide.contains(receiver), "the guide shows another than\n{receiver}");
    }
}
