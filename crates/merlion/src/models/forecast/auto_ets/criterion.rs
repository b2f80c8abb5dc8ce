//! The information criteria a search can go by.

use serde::{Deserialize, Deserializer, Serialize};

use super::super::ets::EtsFit;

/// What the best model has the least of. JSON in Merlion's spelling or any other case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum InformationCriterion {
    /// Akaike's.
    #[serde(rename = "AIC")]
    Aic,
    /// Akaike's, corrected for small samples.
    #[serde(rename = "AICc")]
    Aicc,
    /// Schwarz's.
    #[serde(rename = "BIC")]
    Bic,
}

impl InformationCriterion {
    /// The criterion of a fit.
    #[must_use]
    pub fn of(self, fit: &EtsFit) -> f64 {
        match self {
            Self::Aic => fit.aic(),
            Self::Aicc => fit.aicc(),
            Self::Bic => fit.bic(),
        }
    }
}

impl<'de> Deserialize<'de> for InformationCriterion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // Merlion writes the name of the enumeration before it.
        match text.rsplit('.').next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "aic" => Ok(Self::Aic),
            "aicc" => Ok(Self::Aicc),
            "bic" => Ok(Self::Bic),
            _ => Err(serde::de::Error::custom(format!("'{text}' is not one of AIC, AICc, BIC"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn criteria_are_read_in_any_case_and_written_as_merlion_does() {
        for (text, criterion) in [("aic", "AIC"), ("AICC", "AICc"), ("InformationCriterion.BIC", "BIC")] {
            let read: InformationCriterion = serde_json::from_str(&format!("\"{text}\"")).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), format!("\"{criterion}\""));
        }
        assert!(serde_json::from_str::<InformationCriterion>("\"HQIC\"").is_err());
    }
}
