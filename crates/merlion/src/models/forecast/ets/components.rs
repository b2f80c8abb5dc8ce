//! The thirty models of the ETS family: which components there are and how they enter.

use serde::{Deserialize, Serialize};

/// How a component enters the model. In JSON "add" (or "additive") and "mul" (or "multiplicative").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Component {
    /// It is added.
    #[serde(rename = "add", alias = "additive")]
    Additive,
    /// It multiplies.
    #[serde(rename = "mul", alias = "multiplicative")]
    Multiplicative,
}

use Component::{Additive, Multiplicative};

/// One model of the family, ETS(error, trend, season).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct Variant {
    /// How the error enters.
    pub error: Component,
    /// How the trend enters, if there is one.
    pub trend: Option<Component>,
    /// Whether the trend is damped.
    pub damped: bool,
    /// How the season enters, if there is one.
    pub seasonal: Option<Component>,
    /// Length of the season; 1 without one.
    pub period: usize,
}

impl Variant {
    /// Hyndman's name of the model: error, trend, season, as in `AAdN`.
    #[must_use]
    pub fn name(&self) -> String {
        let letter = |c: Option<Component>| match c {
            None => 'N',
            Some(Additive) => 'A',
            Some(Multiplicative) => 'M',
        };
        let (error, trend, seasonal) = (letter(Some(self.error)), letter(self.trend), letter(self.seasonal));
        format!("{error}{trend}{}{seasonal}", if self.damped { "d" } else { "" })
    }

    /// Number of parameters as statsmodels counts them: smoothing parameters, damping and initial states, among which all
    /// of the seasonal ones, though one of them is fixed by normalisation.
    #[must_use]
    pub fn parameter_count(&self) -> usize {
        self.smoothing_count() + 1 + usize::from(self.trend.is_some()) + self.seasonal.map_or(0, |_| self.period)
    }

    /// Whether the model is defined for positive observations only.
    #[must_use]
    pub fn needs_positive_data(&self) -> bool {
        [Some(self.error), self.trend, self.seasonal].contains(&Some(Multiplicative))
    }

    /// Number of smoothing parameters, damping included.
    pub(super) fn smoothing_count(&self) -> usize {
        1 + usize::from(self.trend.is_some()) + usize::from(self.seasonal.is_some()) + usize::from(self.damped)
    }

    /// Number of coordinates the likelihood is maximised over.
    pub(super) fn free_count(&self) -> usize {
        self.parameter_count() - usize::from(self.seasonal.is_some())
    }
}

/// The smoothing parameters of the recursion, in the textbook's scale.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Smoothing {
    /// α, weight of the error in the level.
    pub alpha: f64,
    /// β, weight of the error in the trend; 0 without one.
    pub beta: f64,
    /// γ, weight of the error in the season; 0 without one.
    pub gamma: f64,
    /// φ, damping of the trend; 1 without damping.
    pub phi: f64,
}

/// Level, trend and seasonal terms between two observations.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct State {
    /// ℓ.
    pub level: f64,
    /// b: 0 (or 1 where it multiplies) without a trend.
    pub trend: f64,
    /// s, in the order in which the coming observations use them; empty without a season.
    pub seasonal: Vec<f64>,
}

impl State {
    /// The same state in other units of the observations.
    pub(super) fn scaled(mut self, variant: Variant, factor: f64) -> Self {
        self.level *= factor;
        if variant.trend == Some(Additive) {
            self.trend *= factor;
        }
        if variant.seasonal == Some(Additive) {
            self.seasonal.iter_mut().for_each(|s| *s *= factor);
        }
        self
    }

    /// The state with its seasonal terms in reversed order, normalised so that the first is 0 or 1.
    pub(super) fn reversed(mut self, variant: Variant) -> Self {
        self.seasonal.reverse();
        self.normalised(variant)
    }

    /// The state with its first seasonal term, 0 or 1 then, moved into the level.
    pub(super) fn normalised(mut self, variant: Variant) -> Self {
        match (variant.seasonal, self.seasonal.first().copied()) {
            (Some(Additive), Some(first)) => {
                self.level += first;
                self.seasonal.iter_mut().for_each(|s| *s -= first);
            }
            (Some(Multiplicative), Some(first)) if first != 0.0 => {
                self.level *= first;
                self.seasonal.iter_mut().for_each(|s| *s /= first);
            }
            _ => {}
        }
        self
    }

    /// Moves one step ahead in the absence of an error and returns the forecast of that step; `slot` counts the steps.
    pub(super) fn advance(&mut self, variant: Variant, phi: f64, slot: usize) -> f64 {
        match variant.trend {
            None => {}
            Some(Additive) => {
                self.trend *= phi;
                self.level += self.trend;
            }
            Some(Multiplicative) => {
                self.trend = damped_ratio(self.trend, phi);
                self.level *= self.trend;
            }
        }
        match variant.seasonal {
            None => self.level,
            Some(Additive) => self.level + self.seasonal[slot % variant.period],
            Some(Multiplicative) => self.level * self.seasonal[slot % variant.period],
        }
    }

    /// Forecasts of the next `horizon` steps: the path without errors.
    pub(super) fn path(&self, variant: Variant, phi: f64, horizon: usize) -> Vec<f64> {
        let mut state = self.clone();
        (0..horizon).map(|slot| state.advance(variant, phi, slot)).collect()
    }
}

/// `b^φ`.
#[inline(always)]
pub(super) fn damped_ratio(b: f64, phi: f64) -> f64 {
    if phi == 1.0 { b } else { b.powf(phi) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_parameter_counts_are_those_of_statsmodels() {
        let mut variant = Variant { error: Additive, trend: Some(Additive), damped: true, seasonal: None, period: 1 };
        assert_eq!((variant.name().as_str(), variant.parameter_count(), variant.free_count()), ("AAdN", 5, 5));
        variant = Variant { error: Multiplicative, seasonal: Some(Multiplicative), period: 12, ..variant };
        assert_eq!((variant.name().as_str(), variant.parameter_count(), variant.free_count()), ("MAdM", 18, 17));
        variant = Variant { trend: None, damped: false, seasonal: Some(Additive), period: 4, ..variant };
        assert_eq!((variant.name().as_str(), variant.parameter_count(), variant.free_count()), ("MNA", 7, 6));
    }

    #[test]
    fn the_spellings_of_merlion_are_read_and_the_short_ones_written() {
        let read = |s: &str| serde_json::from_str::<Option<Component>>(s).unwrap();
        assert_eq!([read("\"add\""), read("\"additive\"")], [Some(Additive); 2]);
        assert_eq!([read("\"mul\""), read("\"multiplicative\"")], [Some(Multiplicative); 2]);
        assert_eq!(read("null"), None);
        assert_eq!(serde_json::to_string(&Additive).unwrap(), "\"add\"");
    }
}
