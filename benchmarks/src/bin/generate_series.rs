//! Writes many synthetic time series as one CSV file: the input of the scaling benchmark, and of nothing else.
//!
//! Every cell is a pure function of (seed, series, point), so both row orders hold the same rows, a table of 2,000
//! series is contained in the one of 200,000, and memory does not grow with the table. Only integer arithmetic and the
//! four basic floating-point operations are used: the file is the same on every machine.

use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

const HELP: &str = "\
Writes synthetic time series as CSV with the columns series_id,timestamp,value.
Each series has a level, a trend, a weekly season and noise. Same arguments, same bytes.

Usage: generate_series [OPTIONS]

Options:
      --series N      number of series [default: 200000]
      --points M      points of each series [default: 150]
      --order ORDER   time: all series of one time, then the next; series: one series after another [default: time]
      --start TIME    first time stamp, YYYY-MM-DD or 'YYYY-MM-DD HH:MM:SS' [default: 2020-01-01]
      --step STEP     distance of two points: a count and s, min, h, d or w, as in 15min [default: 1d]
      --seed S        seed of the generator, 0 or more [default: 0]
      --output PATH   the file to write [default: standard output]
  -h, --help          print this text

The defaults make about 1 GB.
";

/// How many bytes are gathered before one write.
const BUFFER: usize = 1 << 20;
/// Room for the longest row, with a wide margin.
const ROW: usize = 128;
const DAY: i64 = 86_400;
/// 10000-01-01, the first second that no longer fits `YYYY`.
const END_OF_TIME: i64 = 253_402_300_800;

fn main() -> ExitCode {
    let args = match Args::parse(std::env::args().skip(1)) {
        Ok(Some(args)) => args,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("error: {error}\nTry 'generate_series --help'.");
            return ExitCode::from(2);
        }
    };
    let written = match &args.output {
        Some(path) => File::create(path).and_then(|mut file| args.table.write(&mut file)),
        None => args.table.write(&mut io::stdout().lock()),
    };
    match written {
        Ok(()) => ExitCode::SUCCESS,
        // `generate_series | head` has all it wants.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let target = args.output.map_or("standard output".to_owned(), |path| path.display().to_string());
            eprintln!("error: could not write {target}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The command line, checked.
#[derive(Debug, Clone, PartialEq)]
struct Args {
    table: Table,
    output: Option<PathBuf>,
}

/// What the CSV holds.
#[derive(Debug, Clone, PartialEq)]
struct Table {
    series: u64,
    points: u64,
    order: Order,
    /// Seconds since 1970-01-01 00:00:00.
    start: i64,
    /// Seconds.
    step: i64,
    seed: u64,
}

impl Default for Table {
    fn default() -> Self {
        // 30 million rows, 1 GB: large enough that one second of start-up does not matter, small enough for a laptop.
        Self {
            series: 200_000,
            points: 150,
            order: Order::Time,
            start: days_from_civil(2020, 1, 1) * DAY,
            step: DAY,
            seed: 0,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Order {
    /// As a metrics system or a daily batch appends; the hard case for grouping.
    Time,
    /// As an export sorted by key.
    Series,
}

#[derive(Debug, PartialEq)]
enum UsageError {
    UnknownFlag(String),
    MissingValue(String),
    BadValue { flag: String, value: String, expected: &'static str },
    PastTheYear9999,
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownFlag(flag) => write!(f, "unknown argument '{flag}'"),
            Self::MissingValue(flag) => write!(f, "{flag} needs a value"),
            Self::BadValue { flag, value, expected } => write!(f, "{flag} is '{value}', expected {expected}"),
            Self::PastTheYear9999 => write!(f, "--start, --step and --points reach past the year 9999"),
        }
    }
}

impl Args {
    /// `None` when help was asked for. A flag given twice counts as given last.
    fn parse(words: impl IntoIterator<Item = String>) -> Result<Option<Self>, UsageError> {
        let mut args = Self { table: Table::default(), output: None };
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let (flag, inline) = match word.split_once('=') {
                Some((flag, value)) => (flag.to_owned(), Some(value.to_owned())),
                None => (word, None),
            };
            match flag.as_str() {
                "-h" | "--help" => return Ok(None),
                "--series" | "--points" | "--order" | "--start" | "--step" | "--seed" | "--output" => {}
                _ => return Err(UsageError::UnknownFlag(flag)),
            }
            let Some(value) = inline.or_else(|| words.next()) else { return Err(UsageError::MissingValue(flag)) };
            args.set(&flag, &value).map_err(|expected| UsageError::BadValue { flag, value, expected })?;
        }
        let table = &args.table;
        let last = i128::from(table.start) + i128::from(table.points - 1) * i128::from(table.step);
        if last >= i128::from(END_OF_TIME) { Err(UsageError::PastTheYear9999) } else { Ok(Some(args)) }
    }

    /// Sets one known flag; the error says what was expected.
    fn set(&mut self, flag: &str, value: &str) -> Result<(), &'static str> {
        let table = &mut self.table;
        match flag {
            "--series" => table.series = at_least_one(value)?,
            "--points" => table.points = at_least_one(value)?,
            "--order" => {
                table.order = match value {
                    "time" => Order::Time,
                    "series" => Order::Series,
                    _ => return Err("'time' or 'series'"),
                }
            }
            "--start" => table.start = parse_time(value).ok_or("a time like 2020-01-01 or '2020-01-01 06:30:00'")?,
            "--step" => {
                table.step = parse_step(value).ok_or("a count and a unit (s, min, h, d or w), like 1d or 15min")?
            }
            "--seed" => table.seed = value.parse().map_err(|_| "a whole number, 0 or more")?,
            _ => self.output = Some(PathBuf::from(value)),
        }
        Ok(())
    }
}

fn at_least_one(text: &str) -> Result<u64, &'static str> {
    text.parse().ok().filter(|&n| n >= 1).ok_or("a whole number, 1 or more")
}

fn parse_step(text: &str) -> Option<i64> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit())?;
    let (count, unit) = text.split_at(unit_at);
    let seconds = match unit {
        "s" => 1,
        "min" => 60,
        "h" => 3_600,
        "d" => DAY,
        "w" => 7 * DAY,
        _ => return None,
    };
    count.parse::<i64>().ok()?.checked_mul(seconds).filter(|&step| step > 0)
}

fn parse_time(text: &str) -> Option<i64> {
    let (date, time) = text.split_once([' ', 'T']).unwrap_or((text, "00:00:00"));
    let [year, month, day] = fields(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = fields(time, ':', [2, 2, 2])?;
    let days = days_from_civil(year, month, day);
    let exists = (1..=12).contains(&month) && civil_from_days(days) == (year, month, day);
    let on_the_clock = hour < 24 && minute < 60 && second < 60;
    (year >= 1 && exists && on_the_clock).then_some(days * DAY + hour * 3_600 + minute * 60 + second)
}

/// Three numbers of fixed width.
fn fields(text: &str, separator: char, widths: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; 3];
    for (number, width) in numbers.iter_mut().zip(widths) {
        let part = parts.next().filter(|p| p.len() == width && p.bytes().all(|b| b.is_ascii_digit()))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

impl Table {
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let mut buffer = Vec::with_capacity(BUFFER + ROW);
        buffer.extend_from_slice(b"series_id,timestamp,value\n");
        match self.order {
            Order::Time => {
                for point in 0..self.points {
                    let moment = self.moment(point);
                    for id in 0..self.series {
                        push_row(&mut buffer, id, &moment, Series::new(self.seed, id).cents(point, &moment));
                        flush_when_full(&mut buffer, out)?;
                    }
                }
            }
            Order::Series => {
                for id in 0..self.series {
                    let series = Series::new(self.seed, id);
                    for point in 0..self.points {
                        let moment = self.moment(point);
                        push_row(&mut buffer, id, &moment, series.cents(point, &moment));
                        flush_when_full(&mut buffer, out)?;
                    }
                }
            }
        }
        out.write_all(&buffer)?;
        out.flush()
    }

    fn moment(&self, point: u64) -> Moment {
        // `Args::parse` has checked that the last point, and so every one, is within the year 9999.
        Moment::new(self.start + point as i64 * self.step)
    }
}

fn flush_when_full(buffer: &mut Vec<u8>, out: &mut impl Write) -> io::Result<()> {
    if buffer.len() >= BUFFER {
        out.write_all(buffer)?;
        buffer.clear();
    }
    Ok(())
}

/// A point in time: its text, and where in the week it lies.
struct Moment {
    text: [u8; 19],
    /// 0 is Monday.
    weekday: usize,
    /// Seconds since midnight over the length of a day.
    day_fraction: f64,
}

impl Moment {
    fn new(seconds: i64) -> Self {
        let (days, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
        let (year, month, day) = civil_from_days(days);
        let mut text = *b"0000-00-00 00:00:00";
        put_two_digits(&mut text, 0, year / 100);
        put_two_digits(&mut text, 2, year % 100);
        put_two_digits(&mut text, 5, month);
        put_two_digits(&mut text, 8, day);
        put_two_digits(&mut text, 11, second / 3_600);
        put_two_digits(&mut text, 14, second / 60 % 60);
        put_two_digits(&mut text, 17, second % 60);
        // 1970-01-01 was a Thursday.
        Self { text, weekday: (days + 3).rem_euclid(7) as usize, day_fraction: second as f64 / DAY as f64 }
    }
}

/// Relative deviation of each weekday's midnight, Monday first; sums to zero. A shop: quiet early, full on Saturday.
const WEEK: [f64; 7] = [-0.25, -0.20, -0.10, 0.00, 0.25, 0.45, -0.15];

/// The hidden parameters of one series.
struct Series {
    /// The state from which its noise is drawn.
    stream: u64,
    level: f64,
    /// Change per point.
    trend: f64,
    /// Size of the week's deviations; negative for a series that is busy when the others are quiet.
    season: f64,
    noise: f64,
}

impl Series {
    fn new(seed: u64, id: u64) -> Self {
        let stream = mix(mix(seed).wrapping_add(id));
        let draw = |which: u64| unit(mix(stream ^ which.wrapping_mul(0xD6E8_FEB8_6659_FD93)));
        let level = 50.0 + 950.0 * draw(1);
        Self {
            stream,
            level,
            trend: level * 0.002 * (draw(2) - 0.5),
            season: level * (0.8 * draw(3) - 0.2),
            noise: level * (0.02 + 0.08 * draw(4)),
        }
    }

    /// The value at a point, in hundredths, as it is printed.
    fn cents(&self, point: u64, moment: &Moment) -> i64 {
        let (today, tomorrow) = (WEEK[moment.weekday], WEEK[(moment.weekday + 1) % 7]);
        let week = today + (tomorrow - today) * moment.day_fraction;
        let noise = bell(mix(self.stream.wrapping_add(point.wrapping_mul(0x9E37_79B9_7F4A_7C15))));
        let value = self.level + self.trend * point as f64 + self.season * week + self.noise * noise;
        (value * 100.0).round() as i64
    }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood, 2014): neighbouring inputs give unrelated outputs.
fn mix(input: u64) -> u64 {
    let mut z = input.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Uniform in [0, 1).
fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

/// Nearly normal with mean 0 and variance 1: the sum of four uniforms of 16 bits each, scaled.
fn bell(bits: u64) -> f64 {
    let sum = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48);
    // Four uniforms on 0..=65535 have mean 131070; 37837.2 is the root of 4 * (65536^2 - 1) / 12.
    (sum as f64 - 131_070.0) / 37_837.2
}

fn push_row(buffer: &mut Vec<u8>, id: u64, moment: &Moment, cents: i64) {
    push_number(buffer, id);
    buffer.push(b',');
    buffer.extend_from_slice(&moment.text);
    buffer.push(b',');
    if cents < 0 {
        buffer.push(b'-');
    }
    let size = cents.unsigned_abs();
    push_number(buffer, size / 100);
    let rest = (size % 100) as u8;
    buffer.extend_from_slice(&[b'.', b'0' + rest / 10, b'0' + rest % 10, b'\n']);
}

/// By hand, since formatting is most of the work of this program.
fn push_number(buffer: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0u8; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    buffer.extend_from_slice(&digits[first..]);
}

fn put_two_digits(text: &mut [u8], at: usize, number: i64) {
    text[at] = b'0' + (number / 10) as u8;
    text[at + 1] = b'0' + (number % 10) as u8;
}

/// Days from 1970-01-01 to a date of the Gregorian calendar (Hinnant, "chrono-compatible low-level date algorithms").
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The inverse of [`days_from_civil`]: (year, month, day).
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Option<Args>, UsageError> {
        Args::parse(line.split_whitespace().map(str::to_owned))
    }

    fn csv(line: &str) -> String {
        let mut out = Vec::new();
        parse(line).unwrap().unwrap().table.write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn sorted_rows(text: &str) -> Vec<&str> {
        let mut rows: Vec<_> = text.lines().skip(1).collect();
        rows.sort_unstable();
        rows
    }

    #[test]
    fn no_arguments_mean_the_defaults() {
        let args = parse("").unwrap().unwrap();
        assert_eq!(args, Args { table: Table::default(), output: None });
        assert_eq!((args.table.series, args.table.points, args.table.order), (200_000, 150, Order::Time));
    }

    #[test]
    fn every_flag_is_taken_in_both_spellings() {
        let apart = parse("--series 3 --points 4 --order series --start 2021-02-03 --step 2h --seed 9 --output x.csv");
        let joined = parse("--series=3 --points=4 --order=series --start=2021-02-03 --step=2h --seed=9 --output=x.csv");
        let table = Table { series: 3, points: 4, order: Order::Series, start: 1_612_310_400, step: 7_200, seed: 9 };
        assert_eq!(apart, Ok(Some(Args { table, output: Some("x.csv".into()) })));
        assert_eq!(joined, apart);
    }

    #[test]
    fn help_wins_over_what_follows() {
        assert_eq!(parse("--series 3 --help --nonsense"), Ok(None));
    }

    #[test]
    fn errors_name_the_flag_and_what_was_expected() {
        for (line, message) in [
            ("--serie 3", "unknown argument '--serie'"),
            ("3", "unknown argument '3'"),
            ("--series", "--series needs a value"),
            ("--series 0", "--series is '0', expected a whole number, 1 or more"),
            ("--points -1", "--points is '-1', expected a whole number, 1 or more"),
            ("--order random", "--order is 'random', expected 'time' or 'series'"),
            ("--seed x", "--seed is 'x', expected a whole number, 0 or more"),
            ("--start 2021-02-29", "--start is '2021-02-29', expected a time like 2020-01-01 or '2020-01-01 06:30:00'"),
            ("--step 1m", "--step is '1m', expected a count and a unit (s, min, h, d or w), like 1d or 15min"),
            ("--start 9999-12-31 --points 2", "--start, --step and --points reach past the year 9999"),
        ] {
            assert_eq!(parse(line).unwrap_err().to_string(), message, "{line}");
        }
    }

    #[test]
    fn steps_have_a_count_and_a_unit() {
        let expected = [("30s", 30), ("15min", 900), ("6h", 21_600), ("1d", DAY), ("2w", 14 * DAY)];
        for (text, seconds) in expected {
            assert_eq!(parse_step(text), Some(seconds), "{text}");
        }
        for text in ["", "d", "1", "0d", "-1d", "1.5h", "1 d", "99999999999999999w"] {
            assert_eq!(parse_step(text), None, "{text}");
        }
    }

    #[test]
    fn times_that_do_not_exist_are_refused() {
        assert_eq!(parse_time("1970-01-02 00:00:01"), Some(DAY + 1));
        assert_eq!(parse_time("1969-12-31T23:59:59"), Some(-1));
        for text in [
            "2021-02-29",
            "2021-13-01",
            "2021-00-10",
            "0000-01-01",
            "2021-1-1",
            "2021-01-01 24:00:00",
            "2021-01-01-1",
            "20+1-01-01",
        ] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }

    #[test]
    fn dates_survive_the_way_to_days_and_back() {
        assert_eq!(days_from_civil(1970, 1, 1), 0);
        assert_eq!(days_from_civil(2000, 3, 1), 11_017);
        let mut before = civil_from_days(days_from_civil(1599, 12, 31));
        for days in days_from_civil(1600, 1, 1)..days_from_civil(2401, 1, 1) {
            let date = civil_from_days(days);
            assert!(date > before, "{date:?} after {before:?}");
            assert_eq!(days_from_civil(date.0, date.1, date.2), days);
            before = date;
        }
    }

    #[test]
    fn time_order_writes_all_series_of_one_time_then_the_next() {
        let text = csv("--series 3 --points 2 --start 2020-02-28T18:30:00 --step 12h");
        let keys: Vec<_> = text.lines().map(|row| row.rsplit_once(',').unwrap().0).collect();
        let expected = [
            "series_id,timestamp",
            "0,2020-02-28 18:30:00",
            "1,2020-02-28 18:30:00",
            "2,2020-02-28 18:30:00",
            "0,2020-02-29 06:30:00",
            "1,2020-02-29 06:30:00",
            "2,2020-02-29 06:30:00",
        ];
        assert_eq!(keys, expected);
    }

    #[test]
    fn series_order_writes_the_same_rows_one_series_after_another() {
        let by_time = csv("--series 30 --points 20 --order time");
        let by_series = csv("--series 30 --points 20 --order series");
        assert_ne!(by_time, by_series);
        assert_eq!(sorted_rows(&by_time), sorted_rows(&by_series));
        let ids: Vec<u64> =
            by_series.lines().skip(1).map(|row| row.split_once(',').unwrap().0.parse().unwrap()).collect();
        assert!(ids.is_sorted(), "{ids:?}");
    }

    #[test]
    fn the_seed_decides_the_values() {
        let line = "--series 5 --points 5";
        assert_eq!(csv(line), csv(&format!("{line} --seed 0")));
        assert_ne!(csv(line), csv(&format!("{line} --seed 1")));
    }

    #[test]
    fn a_small_table_is_contained_in_a_large_one() {
        let large = csv("--series 50 --points 10");
        let large = sorted_rows(&large);
        for row in sorted_rows(&csv("--series 7 --points 4")) {
            assert!(large.binary_search(&row).is_ok(), "{row}");
        }
    }

    #[test]
    fn a_table_larger_than_the_buffer_is_whole() {
        let text = csv("--series 500 --points 200");
        assert!(text.len() > 2 * BUFFER, "{} bytes", text.len());
        assert_eq!(text.lines().count(), 1 + 500 * 200);
        assert!(text.lines().skip(1).all(|row| row.split(',').count() == 3));
    }

    #[test]
    fn numbers_are_printed_with_two_decimals_and_a_sign() {
        let moment = Moment::new(0);
        for (cents, text) in [(0, "0.00"), (7, "0.07"), (-7, "-0.07"), (12_345, "123.45"), (-100, "-1.00")] {
            let mut buffer = Vec::new();
            push_row(&mut buffer, 10, &moment, cents);
            assert_eq!(String::from_utf8(buffer).unwrap(), format!("10,1970-01-01 00:00:00,{text}\n"));
        }
    }

    #[test]
    fn noise_has_mean_zero_and_variance_one() {
        let n = 200_000;
        let (sum, squares) = (0..n).map(|i| bell(mix(i))).fold((0.0, 0.0), |(s, q), x| (s + x, q + x * x));
        let (mean, variance) = (sum / n as f64, squares / n as f64);
        // Four standard errors: of the mean 1/sqrt(n), of the variance below sqrt(2/n).
        assert!(mean.abs() < 4.0 / (n as f64).sqrt(), "mean {mean}");
        assert!((variance - 1.0).abs() < 4.0 * (2.0 / n as f64).sqrt(), "variance {variance}");
    }

    #[test]
    fn the_season_repeats_every_week_and_sums_to_zero() {
        assert!(WEEK.iter().sum::<f64>().abs() < 1e-12);
        let series = Series { stream: 0, level: 100.0, trend: 0.0, season: 100.0, noise: 0.0 };
        // 1970-01-05 is a Monday.
        let week = |first_day: i64| -> Vec<i64> {
            (first_day..first_day + 7).map(|day| series.cents(0, &Moment::new(day * DAY))).collect()
        };
        assert_eq!(week(4), WEEK.map(|deviation| ((1.0 + deviation) * 10_000.0).round() as i64));
        assert_eq!(week(4), week(4 + 7 * 1_000));
        assert_eq!(series.cents(0, &Moment::new(4 * DAY + DAY / 2)), 7_750, "half way from Monday to Tuesday");
    }
}
