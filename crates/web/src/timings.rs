//! What is known of a request beside its answer: its route, and how long its stages took.

use std::time::Duration;

use crate::route::Route;

/// How long the stages of an answer took, for `Server-Timing`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timings {
    stages: [(&'static str, Duration); Self::MOST],
    count: usize,
}

impl Timings {
    const MOST: usize = 6;

    /// Adds a stage; `name` is a token. More than a handful are dropped.
    pub fn stage(&mut self, name: &'static str, took: Duration) {
        if let Some(place) = self.stages.get_mut(self.count) {
            *place = (name, took);
            self.count += 1;
        }
    }

    /// The stages, in order.
    pub fn stages(&self) -> &[(&'static str, Duration)] {
        &self.stages[..self.count]
    }
}

/// What is known of a request when it has been answered, be it with a problem.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trace {
    /// What answered it.
    pub route: Route,
    /// How long the stages took.
    pub timings: Timings,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_beyond_the_room_are_dropped() {
        let mut timings = Timings::default();
        for _ in 0..10 {
            timings.stage("store", Duration::from_micros(1));
        }
        assert_eq!(timings.stages().len(), Timings::MOST);
    }
}
