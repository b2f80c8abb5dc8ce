//! Several detectors, whose scores are combined.
//!
//! Each of the models is a detector with transform and calibrator of its own, so that the scores that are combined mean the same; the
//! threshold is the ensemble's. A model that fails is left out, as long as another does not; [`FittedDetectorEnsemble`] says which
//! and why.

use serde::{Deserialize, Serialize, Serializer};
use serde_json::json;

use crate::models::ensemble::{Combination, Combiner, FittedCombiner, Output};
use crate::models::{
    Capabilities, Detector, FitContext, FittedDetector, ModelError, ModelSpec, Observations, Origin, Scores,
};
use crate::pipeline::{DetectionPipeline, Detections, FittedDetectionPipeline};
use crate::postprocess::Supervision;

/// Several detectors, whose scores are combined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DetectorEnsemble {
    /// The detectors, their names and parameters as JSON has them. Three quick ones, because the ensemble needs some; Merlion has no
    /// default here.
    pub models: Vec<ModelSpec>,
    /// How scores are combined: the mean of magnitudes, as in Merlion. What a metric decides needs labels; without them all count.
    pub combiner: Combiner,
    #[serde(skip)]
    origin: Origin,
}

impl Default for DetectorEnsemble {
    fn default() -> Self {
        Self::of(["StatThreshold", "ZMS", "SpectralResidual"].map(ModelSpec::named).to_vec(), Origin::default())
    }
}

impl DetectorEnsemble {
    /// An ensemble of these detectors.
    #[must_use]
    pub fn of(models: Vec<ModelSpec>, origin: Origin) -> Self {
        Self { models, combiner: Combiner::new(Combination::Mean, true), origin }
    }

    fn members(&self) -> Result<Vec<DetectionPipeline>, ModelError> {
        let Origin { catalog, compat } = &self.origin;
        let build = |spec: &ModelSpec| Ok(spec.build_detector(catalog, *compat)?.without_threshold());
        self.models.iter().map(build).collect()
    }
}

impl Detector for DetectorEnsemble {
    const NAME: &'static str = "DetectorEnsemble";
    const SUMMARY: &'static str = "Several detectors, whose scores are combined";
    const CAPABILITIES: Capabilities = Capabilities {
        univariate_only: false,
        exogenous: false,
        even_sampling: false,
        standard_errors: false,
        online: false,
    };
    const TWIN: Option<&'static str> = Some("ForecasterEnsemble");
    const CALIBRATED: bool = false;
    const QUANTILE: bool = false;
    type Fitted = FittedDetectorEnsemble;

    fn with_origin(self, origin: &Origin) -> Self {
        Self { origin: origin.clone(), ..self }
    }

    fn check_columns(&self, columns: usize) -> Result<(), ModelError> {
        // One that can is enough.
        let checks: Vec<_> = self.members()?.iter().map(|member| member.check_columns(columns)).collect();
        if checks.iter().any(Result::is_ok) { Ok(()) } else { checks.into_iter().collect() }
    }

    fn validate(&self) -> Result<(), ModelError> {
        if self.models.is_empty() {
            let (parameter, value) = ("models", "[]".to_owned());
            let reason = "an ensemble has at least one model".to_owned();
            return Err(ModelError::InvalidParameter { model: Self::NAME, parameter, value, reason });
        }
        self.members().map(|_| ())
    }

    fn fit(
        &self,
        input: &Observations<'_>,
        supervision: Option<&Supervision<'_>>,
        context: &FitContext,
    ) -> Result<FittedDetectorEnsemble, ModelError> {
        let series = input.to_series()?;
        let mut members = Vec::with_capacity(self.models.len());
        for member in self.members()? {
            context.check()?;
            members.push((member.model_name(), member.fit(&series, supervision, context)));
        }
        let stopped = |error: &ModelError| matches!(error, ModelError::Cancelled | ModelError::DeadlineExceeded);
        if let Some(position) = members.iter().position(|(_, fitted)| fitted.as_ref().is_err_and(stopped)) {
            return Err(members.swap_remove(position).1.err().unwrap_or(ModelError::Cancelled));
        }
        if members.iter().all(|(_, fitted)| fitted.is_err()) {
            let first = members.into_iter().find_map(|(_, fitted)| fitted.err());
            return Err(first.unwrap_or(ModelError::Empty));
        }
        let outputs: Vec<Option<Output>> =
            members.iter().map(|(_, fitted)| Some(output(fitted.as_ref().ok()?.train_detections()))).collect();
        let useful = supervision.filter(|supervision| supervision.labels.any());
        let metrics: Option<Vec<f64>> = useful.map(|supervision| {
            let value = |output: &Output| {
                let Supervision { labels, objective, max_early, max_delay, .. } = supervision;
                objective.value(labels, &output.times, &output.values, *max_early, *max_delay)
            };
            outputs.iter().map(|output| output.as_ref().map_or(f64::NAN, value)).collect()
        });
        let answered: Vec<bool> = outputs.iter().map(Option::is_some).collect();
        let smaller_is_better = useful.is_some_and(|supervision| supervision.objective.smaller_is_better());
        let combiner = self.combiner.fit(&answered, metrics.as_deref(), smaller_is_better, self.origin.compat);
        let labelled = supervision.map(|supervision| supervision.labels.times.as_slice());
        let Output { times, values } = combiner.combine(&outputs, labelled);
        Ok(FittedDetectorEnsemble { members, combiner, train: Scores { times, values, ..Scores::default() } })
    }
}

/// A member's scores, after its calibrator.
fn output(detections: &Detections) -> Output {
    Output { times: detections.times.clone(), values: detections.alarms.clone() }
}

/// A trained [`DetectorEnsemble`].
#[derive(Debug)]
pub struct FittedDetectorEnsemble {
    /// The detectors' names, and what became of them.
    members: Vec<(&'static str, Result<FittedDetectionPipeline, ModelError>)>,
    combiner: FittedCombiner,
    train: Scores,
}

impl FittedDetectorEnsemble {
    /// The detectors that could not be trained, and why.
    pub fn failures(&self) -> impl Iterator<Item = (&'static str, &ModelError)> {
        self.members.iter().filter_map(|(name, fitted)| Some((*name, fitted.as_ref().err()?)))
    }
}

impl Serialize for FittedDetectorEnsemble {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let member = |(name, fitted): &(&str, Result<FittedDetectionPipeline, ModelError>)| match fitted {
            Ok(fitted) => json!({"name": name, "state": fitted.state()}),
            Err(error) => json!({"name": name, "error": error.to_string()}),
        };
        let members: Vec<_> = self.members.iter().map(member).collect();
        json!({"members": members, "combiner": self.combiner}).serialize(serializer)
    }
}

impl FittedDetector for FittedDetectorEnsemble {
    fn train_scores(&self) -> Scores {
        self.train.clone()
    }

    fn score(
        &self,
        new: &Observations<'_>,
        history: Option<&Observations<'_>>,
        context: &FitContext,
    ) -> Result<Scores, ModelError> {
        let series = new.to_series()?;
        let history = history.map(Observations::to_series).transpose()?;
        let mut outputs = Vec::with_capacity(self.members.len());
        for ((_, fitted), used) in self.members.iter().zip(self.combiner.models_used()) {
            context.check()?;
            outputs.push(match fitted {
                Ok(fitted) if used => Some(output(&fitted.detect(&series, history.as_ref())?)),
                _ => None,
            });
        }
        let Output { times, values } = self.combiner.combine(&outputs, Some(new.times));
        Ok(Scores { times, values, ..Scores::default() })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{daily, detect, fit, noise};
    use crate::models::ModelError;

    fn quiet(n: usize) -> Vec<f64> {
        (0..n).map(|t| 20.0 + noise(t)).collect()
    }

    #[test]
    fn scores_are_the_mean_of_the_members_calibrated_ones() {
        let (train, test) = (daily(0, &quiet(100)), daily(100, &[20.0, 27.0, 14.0]));
        let members = ["StatThreshold", "ZMS"];
        let each = members.map(|name| detect(&json!({"name": name}), &train, &test).unwrap().calibrated);
        let ensemble = json!({"name": "DetectorEnsemble", "models": members});
        let together = detect(&ensemble, &train, &test).unwrap();
        for t in [1, 2] {
            let mean = f64::midpoint(each[0][t].abs(), each[1][t].abs()).copysign(each[0][t]);
            assert!((together.raw[t] - mean).abs() < 1e-12, "{}: {} and {mean}", t, together.raw[t]);
        }
        assert_eq!(together.calibrated, together.raw, "an ensemble is not calibrated again");
        assert!(together.alarms[1] > 3.0 && together.alarms[2] < -3.0, "{:?}", together.alarms);
    }

    #[test]
    fn a_member_that_fails_is_left_out_and_named() {
        let mul = json!({"name": "ETSDetector", "error": "mul"});
        let model = json!({"name": "DetectorEnsemble", "models": [mul, "StatThreshold"]});
        let train: Vec<f64> = quiet(60).iter().map(|x| x - 20.0).collect();
        let fitted = fit(&model, &daily(0, &train)).unwrap();
        let state = fitted.state();
        assert!(state["model"]["members"][0]["error"].as_str().unwrap().contains("positive"), "{state}");
        assert!(fitted.detect(&daily(60, &[9.0]), None).unwrap().alarms[0] > 3.0);
        let alone = json!({"name": "DetectorEnsemble", "models": [mul]});
        assert!(matches!(fit(&alone, &daily(0, &train)), Err(ModelError::UnsuitableValue { .. })));
    }

    #[test]
    fn what_cannot_be_is_named() {
        for (json, words) in [
            (json!({"models": []}), "at least one model"),
            (json!({"models": ["ETS"]}), "such as ETSDetector"),
            (json!({"models": ["ZMSS"]}), "did you mean 'ZMS'?"),
            (json!({"combiner": "Men"}), "did you mean 'Mean'?"),
        ] {
            let mut json = json;
            json["name"] = "DetectorEnsemble".into();
            let error = fit(&json, &daily(0, &quiet(9))).unwrap_err().to_string();
            assert!(error.contains(words), "{json}: {error}");
        }
    }
}
