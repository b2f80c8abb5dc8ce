//! ETS against published fits and against Merlion, which fits with statsmodels 0.14.2.
//!
//! Likelihood, forecasts and standard errors at statsmodels' own estimates must agree to rounding: that is the model. With a
//! multiplicative season they agree up to the season's smoothing: statsmodels' filter computes s' = s + γ e / ℓ', against its
//! documentation, its own simulation and the book, which have s' = s + γ e / q, as here.
//!
//! The maximum may only be higher: statsmodels estimates in unscaled units with numerical gradients, so that on data of some
//! 10,000 the initial states stay at their first guess, and with a season that guess is in reversed order.

#![expect(clippy::unwrap_used, reason = "a test helper that finds no reference data fails the test")]

use std::collections::BTreeMap;

use merlion::models::forecast::ets::{
    Component, Estimation, Ets, EtsFit, FittedEts, Smoothing, State, Variant, Workspace,
};
use merlion::models::{FitContext, FittedForecaster, Forecast, Request, TrainInput};
use merlion::time::{Granularity, Offset, Timestamp};
use serde_json::Value;

mod reference;
use reference::{column, json, numbers};

/// Largest difference over the largest expected magnitude.
fn distance(got: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(got.len(), expected.len());
    let scale = expected.iter().fold(0.0f64, |scale, e| scale.max(e.abs()));
    got.iter().zip(expected).map(|(g, e)| (g - e).abs() / scale).fold(0.0, f64::max)
}

/// Largest relative difference of any value.
fn relative(got: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(got.len(), expected.len());
    got.iter().zip(expected).map(|(g, e)| (g / e - 1.0).abs()).fold(0.0, f64::max)
}

fn forecast(fit: &EtsFit, horizon: usize) -> Forecast {
    let times: Vec<_> = (0..horizon as i64).map(Timestamp::from_nanos).collect();
    let request = Request { times: &times, history: None, exog: &[], levels: &[], context: &FitContext::with_seed(1) };
    let model = Ets { simulations: 20_000, ..Ets::default() };
    FittedEts::new(model, fit.clone(), None).forecast(&request).unwrap()
}

fn fit(y: &[f64], variant: Variant) -> EtsFit {
    Workspace::new(y).unwrap().fit(variant, Estimation::Maximum, None, &FitContext::default()).unwrap()
}

/// statsmodels' estimates: its `initial_state` is level, trend and seasonal terms in order of use.
fn estimates(variant: Variant, parameters: &Value, initial_state: &Value) -> (Smoothing, State) {
    let parameter = |name: &str, otherwise: f64| parameters[name].as_f64().unwrap_or(otherwise);
    let states = numbers(initial_state);
    let trend = variant.trend.map(|_| states[1]);
    let smoothing = Smoothing {
        alpha: parameter("smoothing_level", 0.0),
        beta: parameter("smoothing_trend", 0.0),
        gamma: parameter("smoothing_seasonal", 0.0),
        phi: parameter("damping_trend", 1.0),
    };
    let seasonal = states[1 + usize::from(trend.is_some())..].to_vec();
    (smoothing, State { level: states[0], trend: trend.unwrap_or(0.0), seasonal })
}

/// How closely the model at given parameters agrees with that of statsmodels.
fn rounding(variant: Variant) -> f64 {
    if variant.seasonal == Some(Component::Multiplicative) { 1e-3 } else { 1e-10 }
}

struct Golden {
    name: String,
    value: Value,
    y: Vec<f64>,
    history: Vec<f64>,
    model: Ets,
}

/// The ETS goldens with their training data.
fn goldens() -> Vec<Golden> {
    let Some(datasets) = json("golden/datasets.json") else { return Vec::new() };
    let labels = [
        ("ETS", "synth_hourly"),
        ("ETS", "walmart_1_1"),
        ("ETS_a_a_n", "walmart_1_1"),
        ("ETS_a_ad_a", "walmart_1_1"),
        ("ETS_a_ad_a7", "walmart_1_1"),
        ("ETS_a_n_a13", "walmart_1_1"),
        ("ETS_a_n_n", "walmart_1_1"),
        ("ETS_m_a_a4", "walmart_1_1"),
        ("ETS_m_ad_m12", "walmart_1_1"),
        ("ETS_m_ad_n", "walmart_1_1"),
        ("ETS_m_md_m4", "walmart_1_1"),
        ("ETS_m_n_m13", "walmart_1_1"),
    ];
    labels
        .into_iter()
        .filter_map(|(label, dataset)| {
            let name = format!("{label}__{dataset}");
            let value = json(&format!("golden/{name}.json"))?;
            let data = &datasets[dataset];
            let all = numbers(&data["v"][data["columns"][0].as_str().unwrap()]);
            let n = data["n_train"].as_u64().unwrap() as usize;
            let rows = value["forecast_prev"]["prev_rows"].as_u64().unwrap() as usize;
            let model = serde_json::from_value(value["kwargs"].clone()).unwrap();
            Some(Golden { name, value, y: all[..n].to_vec(), history: all[..rows].to_vec(), model })
        })
        .collect()
}

#[test]
fn at_the_estimates_of_statsmodels_everything_agrees_to_rounding() {
    for Golden { name, value, y, model, .. } in goldens() {
        let variant = model.variant();
        let theirs = &value["params"]["statsmodels"];
        let (smoothing, initial) = estimates(variant, &theirs["param_named"], &theirs["initial_state"]);
        let fit = Workspace::new(&y).unwrap().smooth(variant, smoothing, initial).unwrap();
        let tolerance = rounding(variant);
        for (what, got, key) in [
            ("loglik", fit.log_likelihood, "llf"),
            ("aic", fit.aic(), "aic"),
            ("aicc", fit.aicc(), "aicc"),
            ("bic", fit.bic(), "bic"),
            ("sigma2", fit.sigma2, "mse"),
        ] {
            let expected = theirs[key].as_f64().unwrap();
            assert!((got / expected - 1.0).abs() < tolerance, "{name} {what}: {got} vs {expected}");
        }
        let fitted = distance(&fit.fitted, &column(&value["train_pred"]));
        let expected = column(&value["forecast"]);
        let got = forecast(&fit, expected.len());
        let mean = distance(&got.mean, &expected);
        assert!(fitted < tolerance && mean < tolerance, "{name}: fitted {fitted:e}, forecast {mean:e}");
        let err = relative(&got.stderr.unwrap(), &column(&value["forecast_err"]));
        println!("{name:28} {:5} forecast {mean:.0e} err {err:.1e}", variant.name());
        if variant.error == Component::Additive {
            assert!(err < 1e-9, "{name}: standard errors differ by {err:e}");
        }
    }
}

#[test]
fn the_likelihood_found_is_at_least_that_of_statsmodels() {
    for Golden { name, value, y, model, .. } in goldens() {
        let theirs = value["params"]["statsmodels"]["llf"].as_f64().unwrap();
        let fit = fit(&y, model.variant());
        let expected = column(&value["forecast"]);
        let apart = distance(&forecast(&fit, expected.len()).mean, &expected);
        let gain = fit.log_likelihood - theirs;
        println!(
            "{name:28} loglik {:.4} vs {theirs:.4} ({gain:+.4}), forecasts differ by {apart:.1e}",
            fit.log_likelihood
        );
        assert!(gain >= -1e-3, "{name}: {} vs {theirs}", fit.log_likelihood);
        if gain < 1e-3 {
            assert!(apart < 1e-4, "{name}: same optimum, forecasts differ by {apart}");
        }
    }
}

/// The weekly sales of the app's data, by store and department.
fn walmart() -> Option<BTreeMap<(String, String), Vec<f64>>> {
    let path = "../../data/walmart_mini.csv";
    let text = reference::text(path)?;
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next()?.split(',').collect();
    let at = |name: &str| header.iter().position(|h| *h == name).unwrap();
    let (store, dept, date, sales) = (at("Store"), at("Dept"), at("Date"), at("Weekly_Sales"));
    let mut series: BTreeMap<_, Vec<(String, f64)>> = BTreeMap::new();
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        let key = (cells[store].to_owned(), cells[dept].to_owned());
        series.entry(key).or_default().push((cells[date].to_owned(), cells[sales].parse().unwrap()));
    }
    let sorted = |mut rows: Vec<(String, f64)>| {
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        rows.into_iter().map(|(_, y)| y).collect()
    };
    Some(series.into_iter().map(|(key, rows)| (key, sorted(rows))).collect())
}

/// With the maximum likelihood the mean is within 1 % on all series but one, whose likelihood is the higher one by 1.3. With
/// Merlion's estimation all agree to the digits that are printed.
#[test]
fn the_app_with_default_ets_forecasts_what_merlion_forecasts() {
    let (Some(series), Some(theirs)) = (walmart(), reference::text("walmart/fc_ets.csv")) else { return };
    let mut expected: BTreeMap<_, (Vec<f64>, Vec<f64>)> = BTreeMap::new();
    for line in theirs.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let (mean, err) = expected.entry((cells[0].to_owned(), cells[1].to_owned())).or_default();
        mean.push(cells[3].parse().unwrap());
        err.push(cells[4].parse().unwrap());
    }
    for (estimation, tolerance, close) in [(Estimation::Maximum, 0.01, 19), (Estimation::Merlion, 1e-4, 20)] {
        let mut count = 0;
        for (key, y) in &series {
            let mut workspace = Workspace::new(y).unwrap();
            let fit = workspace.fit(Ets::default().variant(), estimation, None, &FitContext::default()).unwrap();
            let got = forecast(&fit, 27);
            let (mean, err) = &expected[key];
            let (mean, err) = (relative(&got.mean, mean), relative(&got.stderr.unwrap(), err));
            println!("{estimation:?} {key:?}: mean {mean:.1e}, err {err:.1e}");
            count += usize::from(mean < tolerance);
            assert!(estimation == Estimation::Maximum || err < tolerance, "{key:?}: standard errors differ by {err}");
        }
        assert_eq!((count, series.len()), (close, 20), "{estimation:?}");
    }
}

/// AutoETS takes the candidate with the lowest AIC. With Merlion's estimation it takes the one Merlion takes, every time; with
/// the maximum likelihood four times in twenty another, of lower AIC.
#[test]
fn the_lowest_aic_is_that_of_merlions_choice() {
    let (Some(series), Some(all)) = (walmart(), json("golden/autoets_all_walmart.json")) else { return };
    for (estimation, same, close) in [(Estimation::Maximum, 16, 16), (Estimation::Merlion, 20, 18)] {
        let (mut same_choice, mut close_forecast) = (0, 0);
        for case in all["series"].as_array().unwrap() {
            let [store, dept] = [0, 1].map(|i| case["series"][i].as_str().unwrap().to_owned());
            let Some(y) = series.get(&(store.clone(), dept.clone())) else { continue };
            let mut workspace = Workspace::new(y).unwrap();
            let mut fits: Vec<EtsFit> = Vec::new();
            for candidate in case["candidates"].as_array().unwrap() {
                let variant = variant_of(candidate);
                fits.push(workspace.fit(variant, estimation, None, &FitContext::default()).unwrap());
            }
            let best = fits.iter().min_by(|a, b| a.aic().total_cmp(&b.aic())).unwrap();
            let theirs = variant_of(&case["chosen"]);
            let apart = relative(&forecast(best, 27).mean, &numbers(&case["forecast"]));
            println!("{estimation:?} {store}/{dept}: {} vs {}, {apart:.1e}", best.variant.name(), theirs.name());
            same_choice += usize::from(best.variant == theirs);
            close_forecast += usize::from(apart < 0.01);
        }
        assert_eq!((same_choice, close_forecast), (same, close), "{estimation:?}");
    }
}

#[test]
fn every_candidate_of_autoets_is_at_least_as_likely_as_that_of_statsmodels() {
    let (Some(series), Some(all)) = (walmart(), json("golden/autoets_all_walmart.json")) else { return };
    let (mut count, mut gains) = (0, 0.0);
    for case in all["series"].as_array().unwrap() {
        let [store, dept] = [0, 1].map(|i| case["series"][i].as_str().unwrap().to_owned());
        let Some(y) = series.get(&(store.clone(), dept.clone())) else { continue };
        let mut workspace = Workspace::new(y).unwrap();
        for candidate in case["candidates"].as_array().unwrap() {
            let variant = variant_of(candidate);
            let theirs = candidate["llf"].as_f64().unwrap();
            let label = format!("{store}/{dept} {} m = {}", variant.name(), variant.period);

            let (smoothing, initial) = estimates(variant, &candidate["params"], &candidate["initial_state"]);
            let same = workspace.smooth(variant, smoothing, initial).unwrap();
            let tolerance = rounding(variant);
            assert!(
                (same.log_likelihood / theirs - 1.0).abs() < tolerance,
                "{label}: {} vs {theirs}",
                same.log_likelihood
            );
            let aic = candidate["ic"].as_f64().unwrap();
            assert!((same.aic() / aic - 1.0).abs() < tolerance, "{label}: {} vs {aic}", same.aic());

            let best =
                workspace.fit(variant, Estimation::Maximum, None, &FitContext::default()).unwrap().log_likelihood;
            assert!(best >= theirs - 1e-3, "{label}: {best} vs {theirs}");
            (count, gains) = (count + 1, gains + best - theirs);
        }
    }
    println!("{count} candidates, mean gain in log-likelihood {:.3}", gains / f64::from(count));
}

fn variant_of(candidate: &Value) -> Variant {
    let component = |key: &str| -> Option<Component> { serde_json::from_value(candidate[key].clone()).unwrap() };
    let model = Ets {
        error: component("error").unwrap(),
        trend: component("trend"),
        damped_trend: candidate["damped"].as_bool().unwrap(),
        seasonal: component("seasonal"),
        seasonal_periods: candidate["m"].as_u64().map(|m| m as usize),
        ..Ets::default()
    };
    model.variant()
}

/// Merlion's standard errors of multiplicative errors are the spread of 1,000 simulated paths; eight seeds tell how far that
/// can be trusted, at least where they agree to 8 %. The seeds are the same for every series, and so is their error, which is
/// some 3 % of the mean at horizon 10; hence 5 %. The next test is the sharp one.
#[test]
fn exact_variances_agree_with_simulated_ones() {
    let (Some(series), Some(all)) = (walmart(), json("golden/autoets_all_walmart.json")) else { return };
    let mut compared = 0;
    for case in all["series"].as_array().unwrap() {
        let [store, dept] = [0, 1].map(|i| case["series"][i].as_str().unwrap().to_owned());
        let Some(y) = series.get(&(store.clone(), dept.clone())) else { continue };
        let variant = variant_of(&case["chosen"]);
        let candidates = case["candidates"].as_array().unwrap();
        let chosen = candidates.iter().find(|c| variant_of(c) == variant).unwrap();
        let (smoothing, initial) = estimates(variant, &chosen["params"], &chosen["initial_state"]);
        let fit = Workspace::new(y).unwrap().smooth(variant, smoothing, initial).unwrap();
        let got = forecast(&fit, 27);
        let label = format!("{store}/{dept} {} m = {}", variant.name(), variant.period);
        let apart = distance(&got.mean, &numbers(&case["forecast"]));
        assert!(apart < rounding(variant), "{label}: forecasts differ by {apart:e}");
        let (mean, spread) = (numbers(&case["err_mean_8seeds"]), numbers(&case["err_std_8seeds"]));
        for (h, stderr) in got.stderr.unwrap().into_iter().enumerate() {
            if spread[h] > 0.08 * mean[h] {
                continue;
            }
            let allowed = (3.0 * spread[h] / 8f64.sqrt()).max(0.05 * mean[h]);
            assert!(
                (stderr - mean[h]).abs() < allowed,
                "{label} h = {}: {stderr} vs {} ± {}",
                h + 1,
                mean[h],
                spread[h]
            );
            compared += 1;
        }
    }
    println!("{compared} standard errors compared");
}

/// The spread of 200,000 paths that statsmodels 0.14.2 simulates from its own estimates:
///
/// ```python
/// model = ETSModel(y, error, trend, damped_trend=..., seasonal=..., seasonal_periods=...)   # y: n_train values of walmart_1_1
/// result = model.smooth(golden["params"]["statsmodels"]["params"])
/// result.simulate(8, anchor="end", repetitions=200_000, random_state=1).std(1)
/// ```
#[test]
fn variances_agree_with_long_simulations_of_statsmodels() {
    let expected: [(&str, [f64; 8]); 5] = [
        ("ETS_m_ad_n", [4408.7, 6456.6, 8174.0, 9754.7, 11311.7, 12806.9, 14383.4, 15943.3]),
        ("ETS_m_a_a4", [7312.5, 11387.3, 13950.0, 15623.8, 18174.3, 20997.1, 23310.7, 25093.7]),
        ("ETS_m_ad_m12", [5192.8, 7845.8, 9843.1, 10749.4, 11927.6, 14778.4, 16689.0, 17318.3]),
        ("ETS_m_n_m13", [4850.2, 6819.5, 9929.1, 11253.5, 10631.0, 11758.8, 13238.6, 14641.9]),
        ("ETS_m_md_m4", [4215.1, 6854.2, 9108.6, 11085.8, 14807.5, 20717.3, 27036.4, 33508.0]),
    ];
    for Golden { name, value, y, model, .. } in goldens() {
        let Some((_, expected)) = expected.iter().find(|(label, _)| name.starts_with(&format!("{label}__"))) else {
            continue;
        };
        let theirs = &value["params"]["statsmodels"];
        let (smoothing, initial) = estimates(model.variant(), &theirs["param_named"], &theirs["initial_state"]);
        let fit = Workspace::new(&y).unwrap().smooth(model.variant(), smoothing, initial).unwrap();
        let got = forecast(&fit, 8).stderr.unwrap();
        let apart = relative(&got, expected);
        println!("{name:28} standard errors differ by {apart:.1e}");
        // The multiplied trend is simulated here too, with heavy tails.
        let tolerance = if model.trend == Some(Component::Multiplicative) { 0.06 } else { 0.006 };
        assert!(apart < tolerance, "{name}: {got:.1?} vs {expected:?}");
    }
}

/// Newer observations with `refit`: the newest window is fitted anew, as in Merlion. On ten observations the likelihood has
/// many maxima; with Merlion's estimation the simpler models end at Merlion's. (The undamped trend does not, and in units of
/// order one, as those of `synth_hourly`, the two searches take different ways.)
#[test]
fn newer_observations_are_fitted_anew_or_followed() {
    let day = 86_400_000_000_000;
    let granularity = Granularity { step: Offset::Fixed(day), phase: 0 };
    for Golden { name, value, y, history, model } in goldens() {
        let times: Vec<_> = (0..history.len() as i64 + 10).map(|t| Timestamp::from_nanos(t * day)).collect();
        let input = |n: usize| TrainInput {
            times: &times[..n],
            target: &history[..n],
            covariates: &[],
            exog: &[],
            granularity: &granularity,
        };
        let expected = column(&value["forecast_prev"]["forecast"]);
        let trained = |refit, estimation| {
            let model = Ets { refit, estimation, ..model.clone() };
            merlion::models::Forecaster::fit(&model, &input(y.len()), &FitContext::default()).unwrap()
        };
        let ask = |fitted: &FittedEts| {
            let ahead = &times[history.len()..history.len() + expected.len()];
            let history = Some(input(history.len()));
            fitted
                .forecast(&Request {
                    times: ahead,
                    history,
                    exog: &[],
                    levels: &[],
                    context: &FitContext::with_seed(0),
                })
                .unwrap()
        };
        let variant = model.variant();
        for estimation in [Estimation::Maximum, Estimation::Merlion] {
            let apart = distance(&ask(&trained(true, estimation)).mean, &expected);
            println!("{name:28} {estimation:?} on the tail: forecasts differ by {apart:.1e}");
            if estimation == Estimation::Merlion && ["AAdN", "ANN", "MAdN"].contains(&variant.name().as_str()) {
                assert!(apart < if name.ends_with("walmart_1_1") { 1e-4 } else { 0.03 }, "{name}: {apart}");
            }
        }

        // Without refit the state after all of the history is the state of a pass over all of it.
        let fitted = trained(false, Estimation::Maximum);
        let whole = Workspace::new(&history)
            .unwrap()
            .smooth(fitted.fit().variant, fitted.fit().smoothing, fitted.fit().initial.clone())
            .unwrap();
        let followed = distance(&ask(&fitted).mean, &forecast(&whole, expected.len()).mean);
        assert!(followed < 1e-12, "{name}: {followed:e}");
    }
}

/// R's `ets(AirPassengers)` gives ETS(M,Ad,M) with α = 0.7096, β = 0.0204, γ = 0.0001, φ = 0.98, σ = 0.0392 and AIC 1395.166.
/// R leaves the constant n (ln(2π/n) + 1) out of its likelihood, counts the eleven free seasonal terms (statsmodels twelve) and
/// estimates σ² with n - 17 degrees of freedom. Its search stops a little before the maximum: scipy 1.11.4's L-BFGS-B, from
/// R's estimates and from five other starts, ends at 1394.2332 with α = 0.7610, β = 0.0192.
#[test]
fn the_published_fit_of_the_airline_passengers_is_found() {
    let y = air_passengers();
    let variant = Variant {
        error: Component::Multiplicative,
        trend: Some(Component::Additive),
        damped: true,
        seasonal: Some(Component::Multiplicative),
        period: 12,
    };
    let fit = fit(&y, variant);
    let n = y.len() as f64;
    let aic = fit.aic() - 2.0 - n * ((2.0 * std::f64::consts::PI / n).ln() + 1.0);
    let sigma = (fit.sigma2 * n / (n - 17.0)).sqrt();
    println!("{:?} sigma {sigma:.4} aic {aic:.3} level {}", fit.smoothing, fit.initial.level);
    assert!((aic - 1394.2332).abs() < 1e-3, "AIC {aic} vs 1394.2332, R 1395.166");
    for (what, got, expected, tolerance) in [
        ("alpha", fit.smoothing.alpha, 0.7096, 0.06),
        ("beta", fit.smoothing.beta, 0.0204, 0.002),
        ("gamma", fit.smoothing.gamma, 0.0001, 0.0002),
        ("phi", fit.smoothing.phi, 0.98, 1e-9),
        ("sigma", sigma, 0.0392, 0.0004),
    ] {
        assert!((got - expected).abs() <= tolerance, "{what}: {got} vs {expected}");
    }
}

fn air_passengers() -> Vec<f64> {
    let text = include_str!("data/air_passengers.csv");
    text.lines().skip(1).map(|line| line.split(',').nth(1).unwrap().parse().unwrap()).collect()
}

/// A slow season as long as a year of days: no quadratic cost in the number of parameters.
#[test]
fn a_season_of_hundreds_fits_in_reasonable_time() {
    let mut noise = 0.5;
    let y: Vec<f64> = (0..1095)
        .map(|t| {
            noise = (noise * 997.0f64 + 0.123).fract();
            100.0 + 20.0 * (t as f64 * std::f64::consts::TAU / 365.0).sin() + 4.0 * noise
        })
        .collect();
    let model = Ets { seasonal_periods: Some(365), ..Ets::default() };
    let started = std::time::Instant::now();
    let fit = fit(&y, model.variant());
    println!("370 parameters in {:?}: {:?}", started.elapsed(), fit.smoothing);
    assert!(fit.log_likelihood.is_finite() && started.elapsed().as_secs() < 10);
}
