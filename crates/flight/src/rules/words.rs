//! Times as a person says them.

/// Nanoseconds with three digits and a unit that fits: "1.11 s", "810 ms".
pub(super) fn time(ns: u64) -> String {
    let show = |value: f64, unit: &str| {
        let decimals = if value >= 99.95 {
            0
        } else if value >= 9.995 {
            1
        } else {
            2
        };
        let digits = format!("{value:.decimals$}");
        let short = match digits.contains('.') {
            true => digits.trim_end_matches('0').trim_end_matches('.'),
            false => &digits,
        };
        format!("{short} {unit}")
    };
    let value = ns as f64;
    match ns {
        0 => "0 s".to_owned(),
        1..1_000 => format!("{ns} ns"),
        1_000..999_500 => show(value / 1e3, "µs"),
        999_500..999_500_000 => show(value / 1e6, "ms"),
        999_500_000..60_000_000_000 => show(value / 1e9, "s"),
        _ => {
            let seconds = (ns + 500_000_000) / 1_000_000_000;
            let (hours, minutes, seconds) = (seconds / 3600, seconds % 3600 / 60, seconds % 60);
            match (hours, minutes, seconds) {
                (0, _, 0) => format!("{minutes} min"),
                (0, ..) => format!("{minutes} min {seconds:02} s"),
                (_, 0, _) => format!("{hours} h"),
                _ => format!("{hours} h {minutes:02} min"),
            }
        }
    }
}

/// "a", "a and b", "a, b and 3 more".
pub(super) fn list(names: &[&str]) -> String {
    match names {
        [] => "nobody".to_owned(),
        [one] => (*one).to_owned(),
        [one, two] => format!("{one} and {two}"),
        [one, two, three] => format!("{one}, {two} and {three}"),
        [one, two, rest @ ..] => format!("{one}, {two} and {} more", rest.len()),
    }
}

/// "once", "twice", "3 times".
pub(super) fn times(count: usize) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        _ => format!("{count} times"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_and_a_unit_that_fits() {
        let cases = [
            (0, "0 s"),
            (999, "999 ns"),
            (1_500, "1.5 µs"),
            (1_000_000, "1 ms"),
            (999_499, "999 µs"),
            (999_999, "1 ms"),
            (810_010_000, "810 ms"),
            (1_110_000_000, "1.11 s"),
            (12_340_000_000, "12.3 s"),
            (100_000_000, "100 ms"),
            (60_000_000_000, "1 min"),
            (61_000_000_000, "1 min 01 s"),
            (3_600_000_000_000, "1 h"),
            (3_660_000_000_000, "1 h 01 min"),
        ];
        for (ns, words) in cases {
            assert_eq!(time(ns), words);
        }
    }
}
