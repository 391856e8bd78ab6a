//! The text that Prometheus reads (exposition format 0.0.4).

use std::fmt::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{BOUNDS_US, BUCKETS, Counters, DENIALS, METHODS, Metrics, STATUSES};

/// The media type of the text.
pub(crate) const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

impl Metrics {
    /// Everything that is counted.
    pub(crate) fn expose(&self) -> String {
        let mut out = String::with_capacity(8 << 10);
        self.write(&mut out).expect("a string takes all text");
        out
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        const CUT: &str = "callvault_connections_cut_total";
        const REFUSED: &str = "callvault_connections_refused_total";
        head(out, "callvault_build_info", "gauge", "The program that runs.")?;
        writeln!(out, "callvault_build_info{{version=\"{}\"}} 1", self.version)?;
        head(out, "callvault_connections", "gauge", "Open connections.")?;
        writeln!(out, "callvault_connections {}", self.gauges.connection_table.count())?;
        head(out, CUT, "counter", "Connections without a token that made room for others.")?;
        writeln!(out, "{CUT} {}", self.gauges.connection_table.cut_so_far())?;
        head(out, REFUSED, "counter", "Connections above the limit of their address.")?;
        writeln!(out, "{REFUSED} {}", self.gauges.connection_table.refused_so_far())?;
        head(out, "callvault_requests_in_flight", "gauge", "Requests without a whole answer.")?;
        let in_flight = self.sum(|counters| &counters.in_flight);
        writeln!(out, "callvault_requests_in_flight {in_flight}")?;
        head(out, "callvault_ingest_bytes_in_flight", "gauge", "Bytes of records coming in.")?;
        writeln!(out, "callvault_ingest_bytes_in_flight {}", self.gauges.budget.used())?;
        let name = "callvault_log_lines_dropped_total";
        head(out, name, "counter", "Lines of the log that could not be written.")?;
        writeln!(out, "{name} {}", self.gauges.log_lines_dropped.load(Ordering::Relaxed))?;
        head(out, "callvault_answer_bytes_in_flight", "gauge", "Bytes of answers going out.")?;
        writeln!(out, "callvault_answer_bytes_in_flight {}", self.gauges.answer_budget.used())?;
        self.write_requests(out)?;
        self.write_durations(out)?;
        head(out, "callvault_auth_failures_total", "counter", "Refused callers, by reason.")?;
        for (reason, count) in DENIALS.iter().zip(&self.denials) {
            let count = count.load(Ordering::Relaxed);
            writeln!(out, "callvault_auth_failures_total{{reason=\"{reason}\"}} {count}")?;
        }
        Ok(())
    }

    fn write_requests(&self, out: &mut String) -> fmt::Result {
        head(out, "callvault_requests_total", "counter", "emulator::Answer requests.")?;
        for (number, route) in self.labels.iter().enumerate() {
            for (method_number, method) in METHODS.iter().enumerate() {
                for (status_number, status) in STATUSES.iter().enumerate() {
                    let place =
                        (number * METHODS.len() + method_number) * STATUSES.len() + status_number;
                    let count = self.sum(|counters| &counters.requests[place]);
                    if count > 0 {
                        writeln!(
                            out,
                            "callvault_requests_total{{route=\"{route}\",method=\"{method}\",\
                             status=\"{status}\"}} {count}"
                        )?;
                    }
                }
            }
        }
        Ok(())
    }

    fn write_durations(&self, out: &mut String) -> fmt::Result {
        const NAME: &str = "callvault_request_duration_seconds";
        head(out, NAME, "histogram", "From the request's head to the answer's last byte.")?;
        for (number, template) in self.labels.iter().enumerate() {
            let first = number * BUCKETS;
            let counts: Vec<u64> = (first..first + BUCKETS)
                .map(|place| self.sum(|counters| &counters.durations[place]))
                .collect();
            let total: u64 = counts.iter().sum();
            if total == 0 {
                continue;
            }
            let mut below = 0;
            for (bound, count) in BOUNDS_US.iter().zip(&counts) {
                below += count;
                let bound = *bound as f64 / 1e6;
                writeln!(out, "{NAME}_bucket{{route=\"{template}\",le=\"{bound}\"}} {below}")?;
            }
            writeln!(out, "{NAME}_bucket{{route=\"{template}\",le=\"+Inf\"}} {total}")?;
            let nanos = self.sum(|counters| &counters.duration_sums[number]);
            writeln!(out, "{NAME}_sum{{route=\"{template}\"}} {}", nanos as f64 / 1e9)?;
            writeln!(out, "{NAME}_count{{route=\"{template}\"}} {total}")?;
        }
        Ok(())
    }

    fn sum(&self, counter: impl Fn(&Counters) -> &AtomicU64) -> u64 {
        self.threads
            .iter()
            .filter_map(std::sync::OnceLock::get)
            .map(|counters| counter(counters).load(Ordering::Relaxed))
            .fold(0, u64::wrapping_add)
    }
}

/// Writes a family of metrics of one value each, or of one for each value of a label.
///
/// # Errors
/// Those of the text, which has none where it is a string.
pub fn write_family(
    out: &mut String,
    (name, kind, help): (&str, &str, &str),
    values: impl IntoIterator<Item = (Option<(&'static str, &'static str)>, u64)>,
) -> fmt::Result {
    head(out, name, kind, help)?;
    for (label, value) in values {
        match label {
            None => writeln!(out, "{name} {value}")?,
            Some((label, of)) => writeln!(out, "{name}{{{label}=\"{of}\"}} {value}")?,
        }
    }
    Ok(())
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) -> fmt::Result {
    writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use http::Method;

    use super::*;
    use crate::answer_budget::AnswerBudget;
    use crate::body::IngestBudget;
    use crate::connection_table::ConnectionTable;
    use crate::metrics::Gauges;
    use crate::route::Route;

    #[tokio::test]
    async fn threads_are_added_up_and_buckets_are_cumulative() {
        let connection_table = Arc::new(ConnectionTable::new(4, 4));
        let _slot = connection_table.slot([192, 0, 2, 1].into()).await.unwrap();
        let gauges = Gauges {
            budget: IngestBudget::new(10),
            answer_budget: AnswerBudget::new(10),
            log_lines_dropped: Arc::new(AtomicU64::new(7)),
            connection_table,
        };
        let metrics = Metrics::new("1.2.3", &["unknown", "/things/{id}"], 2, gauges);
        let route = Route { number: 1, template: "/things/{id}" };
        for thread in 0..2 {
            let counters = metrics.counters(thread);
            counters.request_begins();
            counters.request_begins();
            let took = Duration::from_micros(200);
            counters.request_ends(route, &Method::GET, 200, took);
        }
        metrics.denied(identity::Denial::Expired);
        let text = metrics.expose();
        let route = "route=\"/things/{id}\"";
        for line in [
            "callvault_build_info{version=\"1.2.3\"} 1".to_owned(),
            "callvault_connections 1".to_owned(),
            "callvault_requests_in_flight 2".to_owned(),
            format!("callvault_requests_total{{{route},method=\"GET\",status=\"200\"}} 2"),
            format!("callvault_request_duration_seconds_bucket{{{route},le=\"0.0001\"}} 0"),
            format!("callvault_request_duration_seconds_bucket{{{route},le=\"0.00025\"}} 2"),
            format!("callvault_request_duration_seconds_bucket{{{route},le=\"+Inf\"}} 2"),
            format!("callvault_request_duration_seconds_sum{{{route}}} 0.0004"),
            "callvault_auth_failures_total{reason=\"expired\"} 1".to_owned(),
            "callvault_log_lines_dropped_total 7".to_owned(),
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }
}
