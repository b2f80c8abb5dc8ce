//! What the functions say about themselves, made from the options and the catalogue: `information_schema`, `SHOW FUNCTIONS` and the
//! shell's `\h` read it.

use datafusion_expr::{DocSection, Documentation};
use merlion::models::Catalog;

use crate::options::OPTIONS;

/// The names of the arguments of a series function, in order.
pub(crate) const PARAMETERS: [&str; 4] = ["ds", "y", "options", "key"];

/// The documentation of `forecast`. After the arguments it lists the options, as `options.model` and so on.
pub(crate) fn forecast(catalog: &Catalog) -> Documentation {
    let models: Vec<&str> = catalog.iter().map(|entry| entry.name).collect();
    let mut documentation = Documentation::builder(
        DocSection { include: true, label: "Time Series Functions", description: None },
        "Trains a model on the rows of each group and returns a list of its forecasts, each a struct of ds, yhat, stderr, \
         intervals, step, model, status and error; unnest makes rows of it. The rows may come in any order.",
        "forecast(ds, y [, options [, key]])",
    )
    .with_sql_example(
        "SELECT store, dept, unnest(forecast(ds, y, {model: 'AutoETS', horizon: 28, level: [80, 95]})) AS f\n\
         FROM sales GROUP BY store, dept;",
    )
    .with_argument(PARAMETERS[0], "the time: a timestamp or a date")
    .with_argument(PARAMETERS[1], "what is forecast: a number, or a struct of numbers for models of several columns")
    .with_argument(PARAMETERS[2], "one literal: a struct {name: value, …} or JSON text; the options are below")
    .with_argument(PARAMETERS[3], "what the series is called in messages, and what seeds its random numbers");
    for option in OPTIONS {
        let meaning = match option.name {
            "model" => format!("{}. Models: {}", option.meaning, models.join(", ")),
            _ => option.meaning.to_owned(),
        };
        let default = option.default.map(|default| format!(" [default: {default}]")).unwrap_or_default();
        documentation = documentation.with_argument(format!("options.{}", option.name), format!("{meaning}{default}"));
    }
    documentation.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_and_every_model_is_documented() {
        let catalog = Catalog::new(&[merlion::models::forecast::CATALOG]);
        let arguments = forecast(&catalog).arguments.unwrap();
        assert_eq!(arguments.len(), PARAMETERS.len() + OPTIONS.len());
        let model = &arguments.iter().find(|(name, _)| name == "options.model").unwrap().1;
        for entry in catalog.iter() {
            assert!(model.contains(entry.name), "{} is not in: {model}", entry.name);
        }
    }
}
