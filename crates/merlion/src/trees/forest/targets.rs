//! What a forest learns to predict.

/// Targets, twice: as they are, for the values of leaves; and as whole numbers, for comparing splits. Sums of the latter are exact, so
/// that equal splits are equal whatever the order of summation, and the unit of the data decides nothing.
#[derive(Debug)]
pub(super) struct Targets {
    outputs: usize,
    /// All targets of the first row, then of the second, and so on.
    values: Vec<f64>,
    /// Deviations from the mean in units that make them whole.
    whole: Vec<f64>,
}

impl Targets {
    pub(super) fn new(columns: &[&[f64]]) -> Self {
        let rows = columns.first().map_or(0, |column| column.len());
        let row_wise = |of: &dyn Fn(usize, usize) -> f64| -> Vec<f64> {
            (0..rows).flat_map(|row| (0..columns.len()).map(move |output| of(row, output))).collect()
        };
        // Halves of the largest numbers still have a finite sum.
        let means: Vec<f64> =
            columns.iter().map(|column| column.iter().map(|y| y / rows.max(1) as f64).sum::<f64>()).collect();
        let half = |row: usize, output: usize| columns[output][row] / 2.0 - means[output] / 2.0;
        let largest = (0..rows)
            .flat_map(|row| (0..columns.len()).map(move |output| (row, output)))
            .fold(0f64, |largest, (row, output)| largest.max(half(row, output).abs()));
        // The unit is the same for all targets, because their squares are added.
        let bits = 51 - (rows.max(1) as f64).log2().ceil() as i32;
        let scale = if largest > 0.0 { bits as f64 - largest.log2().ceil() } else { 0.0 };
        // In two steps, each of which is a finite number.
        let (first, second) = ((scale / 2.0).floor().exp2(), (scale - (scale / 2.0).floor()).exp2());
        Self {
            outputs: columns.len(),
            values: row_wise(&|row, output| columns[output][row]),
            whole: row_wise(&|row, output| (half(row, output) * first * second).round()),
        }
    }

    pub(super) fn outputs(&self) -> usize {
        self.outputs
    }

    pub(super) fn rows(&self) -> usize {
        self.values.len() / self.outputs.max(1)
    }

    /// The whole numbers of a row.
    pub(super) fn whole(&self, row: u32) -> &[f64] {
        let at = row as usize * self.outputs;
        &self.whole[at..at + self.outputs]
    }

    /// Whether all these rows have the same targets.
    pub(super) fn alike(&self, rows: &[u32]) -> bool {
        rows.iter().all(|row| self.whole(*row) == self.whole(rows[0]))
    }

    /// Adds up rows, each as often as it counts; how often they count together.
    pub(super) fn add_up(&self, rows: &[u32], weight: impl Fn(u32) -> f64, sums: &mut [f64]) -> f64 {
        sums.fill(0.0);
        let mut total = 0.0;
        for &row in rows {
            let weight = weight(row);
            total += weight;
            for (sum, value) in sums.iter_mut().zip(self.whole(row)) {
                *sum += weight * value;
            }
        }
        total
    }

    /// The means of the targets of these rows.
    pub(super) fn means(&self, rows: &[u32], weight: impl Fn(u32) -> f64, means: &mut [f64]) {
        let total: f64 = rows.iter().map(|row| weight(*row)).sum();
        // From the first row on, so that the mean of equal values is that value.
        let first = rows[0] as usize * self.outputs;
        means.copy_from_slice(&self.values[first..first + self.outputs]);
        for &row in rows {
            let (at, share) = (row as usize * self.outputs, weight(row) / total);
            for (output, mean) in means.iter_mut().enumerate() {
                *mean += share * (self.values[at + output] - self.values[first + output]);
            }
        }
    }
}

/// How good a split is: sums and numbers of both sides, the whole being known. Larger is better.
pub(super) fn gain(left: &[f64], count: f64, all: &[f64], total: f64) -> f64 {
    let rest = total - count;
    left.iter().zip(all).map(|(left, all)| left * left / count + (all - left) * (all - left) / rest).sum()
}
