//! Shares of a whole: `callvault.ratio` and `callvault.wilson`.

/// The number of standard deviations between which 95 % of a normal distribution lie, for [`wilson`].
pub const WILSON_Z: f64 = 1.96;

/// k of n; none at n = 0.
pub(super) fn ratio(k: f64, n: f64) -> Option<f64> {
    (n != 0.0).then(|| k / n)
}

/// The lower end of Wilson's interval for k of n at 95 %: what has happened k times in n happens at least
/// that often (E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", 1927).
/// None unless 0 ≤ k ≤ n and n > 0.
///
/// An engine that is to give the same number calculates in the same order.
pub fn wilson(k: f64, n: f64) -> Option<f64> {
    const Z: f64 = WILSON_Z;
    let is_share = n > 0.0 && n.is_finite() && (0.0..=n).contains(&k);
    if !is_share {
        return None;
    }
    if k == 0.0 {
        return Some(0.0);
    }
    let p = k / n;
    let spread = (p * (1.0 - p) + Z * Z / (4.0 * n)) / n;
    Some((p + Z * Z / (2.0 * n) - Z * spread.sqrt()) / (1.0 + Z * Z / n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_of_few_count_less_than_the_same_share_of_many() {
        for (k, n, percent) in
            [(1.0, 2.0, 9.5), (6.0, 20.0, 14.5), (12.0, 100.0, 7.0), (110.0, 1_000.0, 9.2)]
        {
            let found = wilson(k, n).unwrap() * 1_000.0;
            assert!((found.round() / 10.0 - percent).abs() < 0.000_1, "{k} of {n}");
        }
        assert_eq!(wilson(0.0, 7.0), Some(0.0));
        assert!((wilson(7.0, 7.0).unwrap() - 0.645_6).abs() < 0.000_1);
    }

    #[test]
    fn what_is_no_share_has_no_bound() {
        let inf = f64::INFINITY;
        for (k, n) in
            [(0.0, 0.0), (3.0, 2.0), (-1.0, 2.0), (1.0, -2.0), (f64::NAN, 2.0), (inf, inf)]
        {
            assert_eq!(wilson(k, n), None, "{k} of {n}");
        }
        assert_eq!((ratio(3.0, 2.0), ratio(1.0, 0.0), ratio(0.0, -0.0)), (Some(1.5), None, None));
    }
}
