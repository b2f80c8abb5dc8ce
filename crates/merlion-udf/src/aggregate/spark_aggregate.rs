//! `spark_aggregate(value, 'name')`: the aggregations of numbers that Spark SQL has, with results that do not depend on the order
//! of rows. Levels of a hierarchy are made with them.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type};
use datafusion_common::{DataFusionError, Result, ScalarValue, exec_err, plan_err};
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::utils::format_state_name;
use datafusion_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility};
use merlion::math::exact_sum::ExactSum;
use merlion::nearest::nearest;

use crate::series_input;

/// The name in SQL.
pub const NAME: &str = "spark_aggregate";

/// An aggregation of numbers, by its name in Spark SQL. Nulls do not count; without any value the result is null, except for counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SparkAggregate {
    /// `sum`.
    Sum,
    /// `mean`, `avg`.
    Mean,
    /// `count`.
    Count,
    /// `min`.
    Min,
    /// `max`.
    Max,
    /// `median`: between the two middle values of an even number.
    Median,
    /// `stddev`, `stddev_samp`, `std`; null for a single value.
    StddevSamp,
    /// `stddev_pop`.
    StddevPop,
    /// `variance`, `var_samp`; null for a single value.
    VarSamp,
    /// `var_pop`.
    VarPop,
    /// `skewness`; null where all values are the same.
    Skewness,
    /// `kurtosis`, of which a normal distribution has 0; null where all values are the same.
    Kurtosis,
    /// `mode`: the most frequent value; the smallest of those.
    Mode,
    /// `approx_count_distinct`, counted exactly.
    CountDistinct,
    /// `first`, `first_value`, `any_value`: Spark's depend on the order of rows; here it is the smallest value.
    First,
    /// `last`, `last_value`: as `first`, the largest.
    Last,
}

/// An aggregation there is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no aggregation '{name}'{}; there are {}", nearest.map(|n| format!(", did you mean '{n}'?")).unwrap_or_default(), names())]
pub struct UnknownAggregate {
    /// The name.
    name: String,
    /// The nearest there is.
    nearest: Option<&'static str>,
}

const NAMES: [(&str, SparkAggregate); 24] = [
    ("sum", SparkAggregate::Sum),
    ("mean", SparkAggregate::Mean),
    ("avg", SparkAggregate::Mean),
    ("count", SparkAggregate::Count),
    ("min", SparkAggregate::Min),
    ("max", SparkAggregate::Max),
    ("median", SparkAggregate::Median),
    ("std", SparkAggregate::StddevSamp),
    ("stddev", SparkAggregate::StddevSamp),
    ("stddev_samp", SparkAggregate::StddevSamp),
    ("stddev_pop", SparkAggregate::StddevPop),
    ("variance", SparkAggregate::VarSamp),
    ("var_samp", SparkAggregate::VarSamp),
    ("var_pop", SparkAggregate::VarPop),
    ("skewness", SparkAggregate::Skewness),
    ("kurtosis", SparkAggregate::Kurtosis),
    ("mode", SparkAggregate::Mode),
    ("approx_count_distinct", SparkAggregate::CountDistinct),
    ("count_distinct", SparkAggregate::CountDistinct),
    ("first", SparkAggregate::First),
    ("first_value", SparkAggregate::First),
    ("any_value", SparkAggregate::First),
    ("last", SparkAggregate::Last),
    ("last_value", SparkAggregate::Last),
];

fn names() -> String {
    NAMES.map(|(name, _)| name).join(", ")
}

impl FromStr for SparkAggregate {
    type Err = UnknownAggregate;

    /// By name, in any case, as in SQL.
    fn from_str(name: &str) -> Result<Self, UnknownAggregate> {
        let lower = name.to_ascii_lowercase();
        NAMES.iter().find(|(known, _)| *known == lower).map(|(_, aggregate)| *aggregate).ok_or_else(|| {
            UnknownAggregate { name: name.to_owned(), nearest: nearest(&lower, NAMES.iter().map(|(known, _)| *known)) }
        })
    }
}

impl fmt::Display for SparkAggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAMES.iter().find(|(_, aggregate)| aggregate == self).map_or("", |(name, _)| name))
    }
}

/// What is kept of the values of a group.
#[derive(Debug, Clone, PartialEq)]
enum Kept {
    Sum(ExactSum),
    One(f64),
    All(Vec<f64>),
}

impl Kept {
    fn add(&mut self, aggregate: SparkAggregate, value: f64) {
        match self {
            Self::Sum(sum) => sum.add(value),
            Self::One(kept) => {
                *kept = if smaller_wins(aggregate) == value.total_cmp(kept).is_lt() { value } else { *kept }
            }
            Self::All(values) => values.push(value),
        }
    }

    fn terms(&self) -> Vec<f64> {
        match self {
            Self::Sum(sum) => sum.terms().collect(),
            Self::One(value) => vec![*value],
            Self::All(values) => values.clone(),
        }
    }

    fn heap_size(&self) -> usize {
        match self {
            Self::Sum(sum) => sum.heap_size(),
            Self::One(_) => 0,
            Self::All(values) => values.capacity() * size_of::<f64>(),
        }
    }
}

fn smaller_wins(aggregate: SparkAggregate) -> bool {
    matches!(aggregate, SparkAggregate::Min | SparkAggregate::First)
}

/// The values of one group.
#[derive(Debug, Clone, Default)]
struct Group {
    count: i64,
    kept: Option<Kept>,
}

impl Group {
    fn add(&mut self, aggregate: SparkAggregate, value: f64) {
        self.count += 1;
        self.keep(aggregate, value);
    }

    fn keep(&mut self, aggregate: SparkAggregate, value: f64) {
        use SparkAggregate as A;
        match (&mut self.kept, aggregate) {
            (_, A::Count) => {}
            (Some(kept), _) => kept.add(aggregate, value),
            (None, A::Sum | A::Mean) => self.kept = Some(Kept::Sum(ExactSum::from_iter([value]))),
            (None, A::Min | A::Max | A::First | A::Last) => self.kept = Some(Kept::One(value)),
            (None, _) => self.kept = Some(Kept::All(vec![value])),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a count of rows is far below 2^53")]
    fn value(self, aggregate: SparkAggregate) -> Option<f64> {
        use SparkAggregate as A;
        let n = self.count as f64;
        if aggregate == A::Count {
            return Some(n);
        }
        match self.kept {
            None => (aggregate == A::CountDistinct).then_some(0.0),
            Some(Kept::Sum(sum)) => Some(if aggregate == A::Mean { sum.value() / n } else { sum.value() }),
            Some(Kept::One(value)) => Some(value),
            Some(Kept::All(mut values)) => {
                values.sort_by(f64::total_cmp);
                of_sorted(aggregate, &values)
            }
        }
    }
}

/// An aggregation that needs all values, of at least one.
#[expect(clippy::cast_precision_loss, reason = "a count of rows is far below 2^53")]
fn of_sorted(aggregate: SparkAggregate, values: &[f64]) -> Option<f64> {
    use SparkAggregate as A;
    let count = values.len();
    let n = count as f64;
    let mean = values.iter().copied().collect::<ExactSum>().value() / n;
    // Central moments, not divided by n.
    let moment = |power: i32| values.iter().map(|v| (v - mean).powi(power)).collect::<ExactSum>().value();
    let runs = || values.chunk_by(|a, b| a == b);
    match aggregate {
        A::Median => Some((values[(count - 1) / 2] + values[count / 2]) / 2.0),
        A::VarSamp | A::StddevSamp if count < 2 => None,
        A::VarSamp => Some(moment(2) / (n - 1.0)),
        A::StddevSamp => Some((moment(2) / (n - 1.0)).sqrt()),
        A::VarPop => Some(moment(2) / n),
        A::StddevPop => Some((moment(2) / n).sqrt()),
        A::Skewness | A::Kurtosis if values[0] == values[count - 1] => None,
        A::Skewness => Some(n.sqrt() * moment(3) / moment(2).powf(1.5)),
        A::Kurtosis => Some(n * moment(4) / moment(2).powi(2) - 3.0),
        A::Mode => {
            let longest = runs().map(<[f64]>::len).max()?;
            runs().find(|run| run.len() == longest).map(|run| run[0])
        }
        A::CountDistinct => Some(runs().count() as f64),
        A::Sum | A::Mean | A::Count | A::Min | A::Max | A::First | A::Last => None,
    }
}

/// The aggregate function.
#[derive(Debug, PartialEq, Eq, Hash)]
struct SparkAggregateUdaf {
    signature: Signature,
}

/// The function as DataFusion registers it.
#[must_use]
pub fn spark_aggregate_udaf() -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::new_from_impl(SparkAggregateUdaf {
        signature: Signature::exact(vec![DataType::Float64, DataType::Utf8], Volatility::Immutable),
    }))
}

impl SparkAggregateUdaf {
    fn accumulator_of(args: &AccumulatorArgs<'_>) -> Result<Groups> {
        if args.is_distinct {
            return plan_err!("{NAME}(DISTINCT …) is not supported");
        }
        let aggregate = match series_input::literal(NAME, &args.exprs[1])? {
            ScalarValue::Utf8(Some(name)) => {
                name.parse().map_err(|error: UnknownAggregate| DataFusionError::Plan(format!("{NAME}: {error}")))?
            }
            other => return exec_err!("{NAME}: the aggregation is a name, not {other}"),
        };
        Ok(Groups { aggregate, groups: Vec::new(), heap: 0 })
    }
}

impl AggregateUDFImpl for SparkAggregateUdaf {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let item = Field::new_list_field(DataType::Float64, true);
        Ok(vec![
            Arc::new(Field::new_list(format_state_name(args.name, "terms"), item, true)),
            Arc::new(Field::new(format_state_name(args.name, "count"), DataType::Int64, true)),
        ])
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(OneGroup(Self::accumulator_of(&args)?)))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Self::accumulator_of(&args)?))
    }
}

/// The values of all groups.
#[derive(Debug)]
struct Groups {
    aggregate: SparkAggregate,
    groups: Vec<Group>,
    /// Bytes the groups have on the heap.
    heap: usize,
}

impl Groups {
    fn take(&mut self, emit_to: EmitTo) -> Vec<Group> {
        let taken = emit_to.take_needed(&mut self.groups);
        self.heap -= taken.iter().map(Self::heap_of).sum::<usize>();
        taken
    }

    fn heap_of(group: &Group) -> usize {
        group.kept.as_ref().map_or(0, Kept::heap_size)
    }

    fn change(&mut self, group: usize, change: impl FnOnce(&mut Group, SparkAggregate)) {
        let group = &mut self.groups[group];
        let before = Self::heap_of(group);
        change(group, self.aggregate);
        self.heap = self.heap + Self::heap_of(group) - before;
    }
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.groups.resize(total_num_groups, Group::default());
        let column = values[0].as_primitive::<Float64Type>();
        for (row, &group) in group_indices.iter().enumerate() {
            let kept = filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
            if kept && column.is_valid(row) {
                self.change(group, |group, aggregate| group.add(aggregate, column.value(row)));
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.groups.resize(total_num_groups, Group::default());
        let (terms, counts) = (values[0].as_list::<i32>(), values[1].as_primitive::<Int64Type>());
        let numbers = terms.values().as_primitive::<Float64Type>();
        for (row, &group) in group_indices.iter().enumerate() {
            let offsets = &terms.value_offsets()[row..row + 2];
            // Arrow's offsets are never negative.
            let range = usize::try_from(offsets[0]).unwrap_or(0)..usize::try_from(offsets[1]).unwrap_or(0);
            self.change(group, |group, aggregate| {
                group.count += counts.value(row);
                numbers.values()[range].iter().for_each(|&term| group.keep(aggregate, term));
            });
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let aggregate = self.aggregate;
        Ok(Arc::new(self.take(emit_to).into_iter().map(|group| group.value(aggregate)).collect::<Float64Array>()))
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let mut rows = Self { aggregate: self.aggregate, groups: Vec::new(), heap: 0 };
        let each: Vec<usize> = (0..values[0].len()).collect();
        rows.update_batch(values, &each, filter, each.len())?;
        rows.state(EmitTo::All)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let groups = self.take(emit_to);
        let terms: Vec<Vec<f64>> = groups.iter().map(|g| g.kept.as_ref().map_or_else(Vec::new, Kept::terms)).collect();
        let offsets = OffsetBuffer::from_lengths(terms.iter().map(Vec::len));
        let item = Arc::new(Field::new_list_field(DataType::Float64, true));
        let terms = ListArray::try_new(item, offsets, Arc::new(Float64Array::from(terms.concat())), None)?;
        Ok(vec![Arc::new(terms), Arc::new(groups.iter().map(|group| Some(group.count)).collect::<Int64Array>())])
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.groups.capacity() * size_of::<Group>() + self.heap
    }
}

/// The same for a query without GROUP BY.
#[derive(Debug)]
struct OneGroup(Groups);

impl Accumulator for OneGroup {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        GroupsAccumulator::update_batch(&mut self.0, values, &vec![0; values[0].len()], None, 1)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.0.groups.resize(1, Group::default());
        ScalarValue::try_from_array(&GroupsAccumulator::evaluate(&mut self.0, EmitTo::All)?, 0)
    }

    fn size(&self) -> usize {
        GroupsAccumulator::size(&self.0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.0.groups.resize(1, Group::default());
        let state = GroupsAccumulator::state(&mut self.0, EmitTo::All)?;
        state.iter().map(|array| ScalarValue::try_from_array(array, 0)).collect()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        GroupsAccumulator::merge_batch(&mut self.0, states, &vec![0; states[0].len()], 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aggregated(name: &str, values: &[f64]) -> Option<f64> {
        let aggregate: SparkAggregate = name.parse().unwrap();
        let mut groups = Groups { aggregate, groups: vec![], heap: 0 };
        // Half of the values take the way over the state.
        let (here, there) = values.split_at(values.len() / 2);
        let column = |values: &[f64]| vec![Arc::new(Float64Array::from(values.to_vec())) as ArrayRef];
        groups.update_batch(&column(here), &vec![0; here.len()], None, 1).unwrap();
        let mut other = Groups { aggregate, groups: vec![], heap: 0 };
        other.update_batch(&column(there), &vec![0; there.len()], None, 1).unwrap();
        groups.merge_batch(&other.state(EmitTo::All).unwrap(), &[0], 1).unwrap();
        let result = groups.evaluate(EmitTo::All).unwrap();
        assert_eq!(groups.heap, 0, "the memory that is accounted for");
        let result = result.as_primitive::<Float64Type>();
        result.is_valid(0).then(|| result.value(0))
    }

    /// Spark 3.5.9's results for 1, 2, 2, 5.
    #[test]
    fn aggregations_are_those_of_spark() {
        let expected = [
            ("sum", 10.0),
            ("avg", 2.5),
            ("count", 4.0),
            ("min", 1.0),
            ("max", 5.0),
            ("median", 2.0),
            ("std", 1.732_050_807_568_877_2),
            ("stddev_pop", 1.5),
            ("variance", 3.0),
            ("var_pop", 2.25),
            ("skewness", 0.888_888_888_888_888_8),
            ("kurtosis", -0.814_814_814_814_814_8),
            ("mode", 2.0),
            ("approx_count_distinct", 3.0),
        ];
        for (name, expected) in expected {
            let got = aggregated(name, &[5.0, 2.0, 1.0, 2.0]).unwrap();
            assert!((got - expected).abs() < 1e-12, "{name}: {got}, expected {expected}");
        }
    }

    #[test]
    fn without_values_only_counts_have_a_result() {
        for (name, _) in NAMES {
            let expected = name.contains("count").then_some(0.0);
            assert_eq!(aggregated(name, &[]), expected, "{name}");
        }
    }

    #[test]
    fn the_spread_of_a_single_value_is_unknown() {
        assert_eq!(aggregated("stddev", &[3.0]), None);
        assert_eq!(aggregated("var_pop", &[3.0]), Some(0.0));
        assert_eq!(aggregated("skewness", &[3.0, 3.0]), None);
    }

    #[test]
    fn an_aggregation_that_spark_lacks_is_refused_with_the_nearest() {
        let error = "nunique".parse::<SparkAggregate>().unwrap_err().to_string();
        assert!(error.starts_with("no aggregation 'nunique'"), "{error}");
        let error = "meen".parse::<SparkAggregate>().unwrap_err().to_string();
        assert!(error.contains("did you mean 'mean'?"), "{error}");
    }
}
