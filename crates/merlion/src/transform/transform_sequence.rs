//! Transforms one after the other.

use serde::{Deserialize, Deserializer, Serialize};

use super::{
    Fitted, FittedTransform, HistoryEnd, Identity, Inversion, InversionState, Transform, TransformError, TransformSpec,
};
use crate::series::TimeSeries;

/// Applies transforms in order; each is trained on what the one before it makes of the training data. The inverse undoes them in
/// reverse order. Sequences within a sequence are spread out, and transforms that do nothing left out.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TransformSequence {
    /// The transforms, first one first.
    #[serde(deserialize_with = "flattened")]
    transforms: Vec<TransformSpec>,
}

fn flattened<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<TransformSpec>, D::Error> {
    Ok(TransformSequence::new(Vec::deserialize(deserializer)?).transforms)
}

impl TransformSequence {
    /// A sequence of transforms.
    #[must_use]
    pub fn new(transforms: Vec<TransformSpec>) -> Self {
        let mut flat = Vec::with_capacity(transforms.len());
        for transform in transforms {
            match transform.downcast_ref::<Self>() {
                // A sequence was itself spread out when it was made.
                Some(nested) => flat.extend(nested.transforms.iter().cloned()),
                None if transform.downcast_ref::<Identity>().is_some() => {}
                None => flat.push(transform),
            }
        }
        Self { transforms: flat }
    }

    /// The transforms, first one first.
    #[must_use]
    pub fn transforms(&self) -> &[TransformSpec] {
        &self.transforms
    }
}

impl Transform for TransformSequence {
    const NAME: &'static str = "TransformSequence";
    /// An earlier name in Merlion, which still lists it but has lost the class.
    const ALIASES: &'static [&'static str] = &["InvertibleTransformSequence"];
    const SUMMARY: &'static str = "Transforms one after the other";
    const REQUIRED: &'static [&'static str] = &["transforms"];
    type Fitted = FittedTransformSequence;

    fn fit(&self, series: &TimeSeries) -> Result<FittedTransformSequence, TransformError> {
        let mut series = series.clone();
        let mut members = Vec::with_capacity(self.transforms.len());
        for transform in &self.transforms {
            let member = transform.fit(&series)?;
            series = member.apply(&series)?;
            members.push(member);
        }
        Ok(FittedTransformSequence { members })
    }
}

/// A [`TransformSequence`] whose transforms know what they need.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedTransformSequence {
    members: Vec<FittedTransform>,
}

impl FittedTransformSequence {
    /// Undoes the members from last to first, each with its state.
    fn backwards(
        &self,
        series: &TimeSeries,
        state: &InversionState,
        undo: impl Fn(&FittedTransform, &TimeSeries, &InversionState) -> Result<TimeSeries, TransformError>,
    ) -> Result<TimeSeries, TransformError> {
        let none = vec![InversionState::Nothing; self.members.len()];
        let states = match state {
            InversionState::Members(states) if states.len() == self.members.len() => states,
            InversionState::Nothing => &none,
            _ => {
                let reason = "it is another transform's".to_owned();
                return Err(TransformError::WrongState { transform: TransformSequence::NAME, reason });
            }
        };
        let mut series = series.clone();
        for (member, state) in self.members.iter().zip(states).rev() {
            series = undo(member, &series, state)?;
        }
        Ok(series)
    }
}

impl Fitted for FittedTransformSequence {
    fn inversion(&self) -> Inversion {
        let inversions = || self.members.iter().map(FittedTransform::inversion);
        Inversion {
            proper: inversions().all(|inversion| inversion.proper),
            identity: inversions().all(|inversion| inversion.identity),
            requires_state: inversions().any(|inversion| inversion.requires_state),
        }
    }

    fn spec(&self) -> TransformSpec {
        TransformSequence { transforms: self.members.iter().map(FittedTransform::state).collect() }.into()
    }

    fn apply_with_state(&self, series: &TimeSeries) -> Result<(TimeSeries, InversionState), TransformError> {
        let mut series = series.clone();
        let mut states = Vec::with_capacity(self.members.len());
        for member in &self.members {
            let (next, state) = member.apply_with_state(&series)?;
            series = next;
            states.push(state);
        }
        Ok((series, InversionState::Members(states)))
    }

    fn invert(&self, series: &TimeSeries, state: &InversionState) -> Result<TimeSeries, TransformError> {
        self.backwards(series, state, FittedTransform::invert)
    }

    fn invert_as_merlion(&self, series: &TimeSeries, state: &InversionState) -> Result<TimeSeries, TransformError> {
        self.backwards(series, state, FittedTransform::invert_as_merlion)
    }

    fn end(&self, history: &TimeSeries) -> Result<InversionState, TransformError> {
        let mut history = history.clone();
        let mut ends = Vec::with_capacity(self.members.len());
        for member in &self.members {
            ends.push(member.end_of(&history)?.0);
            history = member.apply(&history)?;
        }
        Ok(InversionState::Members(ends))
    }

    fn invert_forecast(&self, forecast: &TimeSeries, end: &InversionState) -> Result<TimeSeries, TransformError> {
        self.backwards(forecast, end, |member, forecast, end| {
            member.invert_forecast(&HistoryEnd(end.clone()), forecast)
        })
    }

    fn invert_one_step(&self, predictions: &TimeSeries, history: &TimeSeries) -> Result<TimeSeries, TransformError> {
        let mut inputs = vec![history.clone()];
        for member in &self.members {
            inputs.push(member.apply(&inputs[inputs.len() - 1])?);
        }
        let mut predictions = predictions.clone();
        for (member, input) in self.members.iter().zip(&inputs).rev() {
            predictions = member.invert_one_step(&predictions, input)?;
        }
        Ok(predictions)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::transform::{AbsVal, DifferenceTransform, MeanVarNormalize};

    #[test]
    fn nested_sequences_are_spread_out_and_identities_left_out() {
        let spec = TransformSpec::from_json(&json!({
            "name": "TransformSequence",
            "transforms": [
                "Identity",
                {"name": "TransformSequence", "transforms": ["DifferenceTransform", "Identity", {"name": "LagTransform", "k": 7}]},
                "MeanVarNormalize",
            ],
        }))
        .unwrap();
        let names: Vec<&str> =
            spec.downcast_ref::<TransformSequence>().unwrap().transforms().iter().map(TransformSpec::name).collect();
        assert_eq!(names, ["DifferenceTransform", "LagTransform", "MeanVarNormalize"]);
    }

    #[test]
    fn a_sequence_is_undone_as_well_as_its_worst_member() {
        let inversion = |transforms: Vec<TransformSpec>| {
            TransformSequence::new(transforms).fit(&TimeSeries::default()).unwrap().inversion()
        };
        assert_eq!(inversion(vec![]), Inversion::NOTHING);
        let (difference, normalize) = (DifferenceTransform::default().into(), MeanVarNormalize::default().into());
        assert_eq!(inversion(vec![difference, normalize]), Inversion::STATEFUL);
        let lossy = inversion(vec![AbsVal::default().into(), MeanVarNormalize::default().into()]);
        assert_eq!(lossy, Inversion { proper: false, ..Inversion::STATELESS });
    }
}
