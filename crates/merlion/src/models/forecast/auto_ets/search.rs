//! Which models are tried, and which of them is kept.

use serde::{Deserialize, Serialize};

use super::super::ets::{Component, Estimation, EtsFit, Variant, Workspace};
use super::InformationCriterion;
use crate::models::{FitContext, ModelError};
use Component::{Additive, Multiplicative};

/// Which models are tried.
///
/// The full search starts from that of R's `ets` and statsforecast, and differs in two points, found on the M3 competition and
/// checked on the M4. The trend changes slowly: β is at most 0.1 α. And in data with a season the trend of a model with
/// multiplicative errors is damped. Mean sMAPE over the series (M4 weekly without a season, hourly with 24):
///
/// | | M3 yearly | quarterly | monthly | other | M4 weekly | hourly |
/// |---|---|---|---|---|---|---|
/// | as in R, maximum of the likelihood | 17.59 | 9.60 | 14.50 | 4.34 | 8.65 | 21.3 |
/// | and β ≤ 0.1 α | 15.85 | 9.32 | 14.38 | 4.33 | 8.78 | 20.6 |
/// | and damping | 15.85 | 9.31 | 14.00 | 4.33 | 8.78 | 16.1 |
/// | statsforecast 2.1.1 | 16.19 | 9.45 | 14.16 | 4.34 | | |
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Search {
    /// Merlion's: with a season all candidates are seasonal.
    #[default]
    Merlion,
    /// Candidates without a season compete too.
    Full,
}

/// Largest β/α in the full search.
pub(super) const FULL_TREND_LIMIT: f64 = 0.1;

/// The combinations a search goes through. A component that is given is not chosen.
pub(super) struct Space {
    pub(super) error: Option<Component>,
    pub(super) trend: Option<Option<Component>>,
    pub(super) seasonal: Option<Option<Component>>,
    pub(super) damped: Option<bool>,
    pub(super) period: usize,
    /// Whether all observations are, so that components may multiply.
    pub(super) positive: bool,
    pub(super) additive_only: bool,
    pub(super) multiplicative_trend: bool,
    pub(super) restrict: bool,
}

impl Space {
    /// The candidates, in Merlion's order: on ties the first is kept.
    pub(super) fn candidates(&self, search: Search) -> Vec<Variant> {
        let either = [Additive, Multiplicative];
        let errors = self.error.map_or_else(|| either[..1 + usize::from(self.positive)].to_vec(), |error| vec![error]);
        let trends = self.trend.map_or_else(
            || match self.positive && self.multiplicative_trend {
                true => vec![Some(Additive), Some(Multiplicative), None],
                false => vec![Some(Additive), None],
            },
            |trend| vec![trend],
        );
        let seasons = match (self.seasonal, search) {
            _ if self.period <= 1 => vec![None],
            (Some(seasonal), _) => vec![seasonal],
            (None, Search::Merlion) if self.positive => either.map(Some).to_vec(),
            (None, Search::Merlion) => vec![Some(Additive)],
            (None, Search::Full) if self.positive => vec![None, Some(Additive), Some(Multiplicative)],
            (None, Search::Full) => vec![None, Some(Additive)],
        };
        let dampings = self.damped.map_or_else(|| vec![true, false], |damped| vec![damped]);
        let mut candidates = Vec::new();
        for &error in &errors {
            for &trend in &trends {
                for &seasonal in &seasons {
                    for &damped in &dampings {
                        let period = if seasonal.is_some() { self.period } else { 1 };
                        let variant = Variant { error, trend, damped, seasonal, period };
                        if self.allows(variant, search) {
                            candidates.push(variant);
                        }
                    }
                }
            }
        }
        candidates
    }

    fn allows(&self, v: Variant, search: Search) -> bool {
        let multiplied = Some(Multiplicative);
        let meaningless = v.trend.is_none() && v.damped;
        let not_additive = v.error == Multiplicative || v.trend == multiplied || v.seasonal == multiplied;
        // Their forecasts have infinite variance (Hyndman et al. 2008, section 6.2), or mix sums into products.
        let unstable = match v.error {
            Additive => v.trend == multiplied || v.seasonal == multiplied,
            Multiplicative => v.trend == multiplied && v.seasonal == Some(Additive),
        };
        let runs_away = search == Search::Full
            && v.error == Multiplicative
            && self.period > 1
            && v.trend.is_some()
            && !v.damped
            // Asked for, it is allowed.
            && self.damped.is_none();
        !(meaningless || self.additive_only && not_additive || self.restrict && (unstable || runs_away))
    }
}

/// A model that was tried.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Candidate {
    /// Hyndman's name of it, as in `MAdM`.
    pub model: String,
    /// Its information criterion, if it could be fitted and the criterion is a number.
    pub criterion: Option<f64>,
    /// Why it could not be fitted.
    pub error: Option<String>,
}

/// Fits the candidates and keeps the one of the lowest criterion, the first on ties. Candidates that cannot be fitted are left
/// out. Where no criterion is finite, because there are hardly more observations than parameters, fewest parameters win.
///
/// # Errors
/// The first candidate's when none can be fitted; the context's reasons to stop.
pub(super) fn best(
    workspace: &mut Workspace,
    candidates: &[Variant],
    estimation: Estimation,
    criterion: InformationCriterion,
    context: &FitContext,
) -> Result<(EtsFit, Vec<Candidate>), ModelError> {
    let mut best: Option<(EtsFit, (f64, usize))> = None;
    let mut tried = Vec::with_capacity(candidates.len());
    let mut first_error = None;
    for &variant in candidates {
        context.check()?;
        let (criterion, error) = match workspace.fit(variant, estimation, None, context) {
            Ok(fit) => {
                let criterion = Some(criterion.of(&fit)).filter(|criterion| criterion.is_finite());
                let rank = (criterion.unwrap_or(f64::INFINITY), variant.parameter_count());
                let better = |(_, (lowest, fewest)): &(EtsFit, (f64, usize))| {
                    rank.0 < *lowest || lowest.is_infinite() && rank.1 < *fewest
                };
                if best.as_ref().is_none_or(better) {
                    best = Some((fit, rank));
                }
                (criterion, None)
            }
            Err(stop @ (ModelError::Cancelled | ModelError::DeadlineExceeded)) => return Err(stop),
            Err(error) => {
                let text = error.to_string();
                first_error.get_or_insert(error);
                (None, Some(text))
            }
        };
        tried.push(Candidate { model: variant.name(), criterion, error });
    }
    match best {
        Some((fit, _)) => Ok((fit, tried)),
        None => Err(first_error.unwrap_or_else(|| ModelError::Request("no candidate suits this series".to_owned()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free(period: usize, positive: bool) -> Space {
        Space {
            error: None,
            trend: None,
            seasonal: None,
            damped: None,
            period,
            positive,
            additive_only: false,
            multiplicative_trend: false,
            restrict: true,
        }
    }

    fn names(space: &Space, search: Search) -> Vec<String> {
        space.candidates(search).iter().map(Variant::name).collect()
    }

    // The order is that of the goldens.
    #[test]
    fn merlions_candidates_are_nine_six_or_three() {
        let merlion = |period, positive| names(&free(period, positive), Search::Merlion);
        assert_eq!(merlion(7, true), ["AAdA", "AAA", "ANA", "MAdA", "MAA", "MAdM", "MAM", "MNA", "MNM"]);
        assert_eq!(merlion(1, true), ["AAdN", "AAN", "ANN", "MAdN", "MAN", "MNN"]);
        assert_eq!(merlion(7, false), ["AAdA", "AAA", "ANA"]);
        assert_eq!(merlion(1, false), ["AAdN", "AAN", "ANN"]);
    }

    #[test]
    fn the_full_search_has_models_without_a_season_too() {
        let full = names(&free(12, true), Search::Full);
        assert_eq!(full.len(), 12, "{full:?}");
        assert!(["ANN", "MNN", "AAA", "MAdM"].iter().all(|name| full.iter().any(|f| f == name)), "{full:?}");
        assert!(!full.iter().any(|name| ["MAN", "MAM", "MAA"].contains(&name.as_str())), "{full:?}");
        assert!(names(&free(1, true), Search::Full).contains(&"MAN".to_owned()));
        assert_eq!(names(&free(12, false), Search::Full), ["AAdN", "AAN", "AAdA", "AAA", "ANN", "ANA"]);
        let all = Space { restrict: false, multiplicative_trend: true, ..free(12, true) };
        assert_eq!(names(&all, Search::Full).len(), 30);
    }

    #[test]
    fn switches_narrow_the_search() {
        let additive = Space { additive_only: true, ..free(4, true) };
        assert_eq!(names(&additive, Search::Merlion), ["AAdA", "AAA", "ANA"]);
        let error = Space { error: Some(Multiplicative), ..free(1, true) };
        assert_eq!(names(&error, Search::Merlion), ["MAdN", "MAN", "MNN"]);
        let trend = Space { trend: Some(None), damped: Some(true), ..free(1, true) };
        assert_eq!(names(&trend, Search::Merlion), [""; 0]);
        let multiplied = Space { multiplicative_trend: true, ..free(1, true) };
        assert_eq!(names(&multiplied, Search::Merlion), ["AAdN", "AAN", "ANN", "MAdN", "MAN", "MMdN", "MMN", "MNN"]);
    }
}
