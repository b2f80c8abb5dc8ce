//! Transforms side by side.

use serde::{Deserialize, Serialize};

use super::{Fitted, FittedTransform, HistoryEnd, Inversion, InversionState, Transform, TransformError, TransformSpec};
use crate::series::{TimeSeries, Univariate};

/// Applies each transform to the series and puts the results side by side. The columns keep their names if all of them differ, and are
/// numbered `0`, `1`, … otherwise. The inverse undoes the first transform that can be undone properly, on its own columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TransformStack {
    /// The transforms.
    pub transforms: Vec<TransformSpec>,
    /// Of no effect, and only here because Merlion's JSON has it: whether it looks if the results share their times. A series knows.
    pub check_aligned: bool,
}

impl Default for TransformStack {
    fn default() -> Self {
        Self { transforms: Vec::new(), check_aligned: true }
    }
}

impl Transform for TransformStack {
    const NAME: &'static str = "TransformStack";
    const SUMMARY: &'static str = "Transforms side by side";
    const REQUIRED: &'static [&'static str] = &["transforms"];
    type Fitted = FittedTransformStack;

    fn validate(&self) -> Result<(), TransformError> {
        match self.transforms.as_slice() {
            [] => Err(TransformError::invalid(Self::NAME, "transforms", "[]", "at least one is needed")),
            _ => Ok(()),
        }
    }

    fn fit(&self, series: &TimeSeries) -> Result<FittedTransformStack, TransformError> {
        let members = self.transforms.iter().map(|transform| transform.fit(series)).collect::<Result<Vec<_>, _>>()?;
        let inverted = members.iter().position(|member| member.inversion().proper).unwrap_or(0);
        Ok(FittedTransformStack { members, inverted, check_aligned: self.check_aligned })
    }
}

/// A [`TransformStack`] whose transforms know what they need.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedTransformStack {
    members: Vec<FittedTransform>,
    /// Which of the members is undone.
    inverted: usize,
    check_aligned: bool,
}

impl FittedTransformStack {
    /// The results side by side, and of the member that is undone, its columns' names in the stack and its own.
    fn stacked(&self, results: &[TimeSeries]) -> Result<(TimeSeries, Vec<(String, String)>), TransformError> {
        let columns: Vec<&Univariate> = results.iter().flat_map(TimeSeries::univariates).collect();
        let mut names: Vec<&str> = columns.iter().map(|column| column.name()).collect();
        names.sort_unstable();
        let distinct = names.windows(2).all(|pair| pair[0] != pair[1]);
        let name = |(at, column): (usize, &&Univariate)| {
            if distinct { (*column).clone() } else { column.named(&at.to_string()) }
        };
        let stack = TimeSeries::from_univariates(columns.iter().enumerate().map(name).collect())?;
        let start = results[..self.inverted].iter().map(TimeSeries::dim).sum();
        let own = results[self.inverted].names().map(str::to_owned);
        let columns = stack.names().skip(start).map(str::to_owned).zip(own).collect();
        Ok((stack, columns))
    }

    fn results(&self, series: &TimeSeries) -> Result<Vec<TimeSeries>, TransformError> {
        self.members.iter().map(|member| member.apply(series)).collect()
    }

    /// Those of the columns that the undone member wrote, under the names it knows; and its state.
    fn member<'a>(
        &self,
        series: &TimeSeries,
        state: &'a InversionState,
    ) -> Result<(&FittedTransform, TimeSeries, &'a InversionState), TransformError> {
        let InversionState::Member { columns, state } = state else {
            let reason = "it is another transform's, or there is none".to_owned();
            return Err(TransformError::WrongState { transform: TransformStack::NAME, reason });
        };
        let own: Vec<Univariate> =
            columns.iter().filter_map(|(stacked, own)| Some(series.find(stacked)?.named(own))).collect();
        if own.is_empty() && series.dim() > 0 {
            let list = |names: Vec<&str>| names.join("', '");
            let reason = format!(
                "it is undone through '{}', not '{}'",
                list(columns.iter().map(|(stacked, _)| stacked.as_str()).collect()),
                list(series.names().collect())
            );
            return Err(TransformError::NotInvertible { transform: TransformStack::NAME, reason });
        }
        Ok((&self.members[self.inverted], TimeSeries::from_univariates(own)?, state))
    }
}

impl Fitted for FittedTransformStack {
    fn inversion(&self) -> Inversion {
        Inversion { proper: self.members[self.inverted].inversion().proper, ..Inversion::STATEFUL }
    }

    fn spec(&self) -> TransformSpec {
        let transforms = self.members.iter().map(FittedTransform::state).collect();
        TransformStack { transforms, check_aligned: self.check_aligned }.into()
    }

    fn apply_with_state(&self, series: &TimeSeries) -> Result<(TimeSeries, InversionState), TransformError> {
        let mut results = Vec::with_capacity(self.members.len());
        let mut states = Vec::with_capacity(self.members.len());
        for member in &self.members {
            let (result, state) = member.apply_with_state(series)?;
            results.push(result);
            states.push(state);
        }
        let (stack, columns) = self.stacked(&results)?;
        Ok((stack, InversionState::Member { columns, state: Box::new(states.swap_remove(self.inverted)) }))
    }

    fn invert(&self, series: &TimeSeries, state: &InversionState) -> Result<TimeSeries, TransformError> {
        let (member, series, state) = self.member(series, state)?;
        member.invert(&series, state)
    }

    fn invert_as_merlion(&self, series: &TimeSeries, state: &InversionState) -> Result<TimeSeries, TransformError> {
        let (member, series, state) = self.member(series, state)?;
        member.invert_as_merlion(&series, state)
    }

    fn end(&self, history: &TimeSeries) -> Result<InversionState, TransformError> {
        let (_, columns) = self.stacked(&self.results(history)?)?;
        let end = self.members[self.inverted].end_of(history)?;
        Ok(InversionState::Member { columns, state: Box::new(end.0) })
    }

    fn invert_forecast(&self, forecast: &TimeSeries, end: &InversionState) -> Result<TimeSeries, TransformError> {
        let (member, forecast, end) = self.member(forecast, end)?;
        member.invert_forecast(&HistoryEnd(end.clone()), &forecast)
    }

    fn invert_one_step(&self, predictions: &TimeSeries, history: &TimeSeries) -> Result<TimeSeries, TransformError> {
        let (_, columns) = self.stacked(&self.results(history)?)?;
        let names = InversionState::Member { columns, state: Box::default() };
        let (member, predictions, _) = self.member(predictions, &names)?;
        member.invert_one_step(&predictions, history)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::testing::seconds;
    use crate::transform::{AbsVal, DifferenceTransform, Identity, Shingle};

    fn series(name: &str, values: &[f64]) -> TimeSeries {
        TimeSeries::from_columns(seconds(&[0, 1, 2]), vec![(name.to_owned(), values.to_vec())]).unwrap()
    }

    #[test]
    fn names_that_differ_are_kept() {
        let x = series("x", &[1.0, -2.0, 3.0]);
        let names = |transforms: Vec<TransformSpec>| {
            let stack = TransformStack { transforms, ..Default::default() }.fit(&x).unwrap();
            stack.apply_with_state(&x).unwrap().0.names().map(str::to_owned).collect::<Vec<_>>()
        };
        let shingle = || Shingle { size: 2, ..Default::default() }.into();
        assert_eq!(names(vec![Identity::default().into(), shingle()]), ["x", "x_0", "x_1"]);
        assert_eq!(names(vec![AbsVal::default().into(), Identity::default().into()]), ["0", "1"]);
    }

    #[test]
    fn the_first_member_that_can_be_undone_is() {
        let x = series("x", &[1.0, -2.0, 3.0]);
        let transforms = vec![AbsVal::default().into(), DifferenceTransform::default().into()];
        let stack = TransformStack { transforms, ..Default::default() }.fit(&x).unwrap();
        let (y, state) = stack.apply_with_state(&x).unwrap();
        assert_eq!(stack.invert(&y, &state), Ok(x.clone()));
        let end = stack.end(&x).unwrap();
        let steps = series("1", &[1.0, 1.0, 1.0]);
        assert_eq!(stack.invert_forecast(&steps, &end), Ok(series("x", &[4.0, 5.0, 6.0])));
        let error = stack.invert_forecast(&series("0", &[1.0; 3]), &end).unwrap_err().to_string();
        assert_eq!(error, "TransformStack cannot be inverted: it is undone through '1', not '0'");
    }
}
