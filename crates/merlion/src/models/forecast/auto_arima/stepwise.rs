//! The walk of Hyndman & Khandakar (2008) through the orders of an ARIMA model: from four simple models to the best of them, and
//! on to a neighbour as long as there is a better one.

use std::collections::HashSet;

use serde::Serialize;

use super::super::sarima::{Coefficients, Orders, SarimaFit};
use crate::models::ModelError;

/// Steps in `P, Q, p, q`, in the order in which they are tried.
const STEPS: [[isize; 4]; 16] = [
    [-1, 0, 0, 0],
    [0, -1, 0, 0],
    [1, 0, 0, 0],
    [0, 1, 0, 0],
    [-1, -1, 0, 0],
    [-1, 1, 0, 0],
    [1, -1, 0, 0],
    [1, 1, 0, 0],
    [0, 0, -1, 0],
    [0, 0, 0, -1],
    [0, 0, 1, 0],
    [0, 0, 0, 1],
    [0, 0, -1, -1],
    [0, 0, -1, 1],
    [0, 0, 1, -1],
    [0, 0, 1, 1],
];

/// Where the walk may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Space {
    /// The differences, and the orders of the first model.
    pub(in super::super) start: Orders,
    /// The highest orders; their differences do not matter.
    pub(in super::super) most: Orders,
    /// Whether there may be a constant.
    pub(in super::super) constant: bool,
    /// Most models that are tried.
    pub(in super::super) models: usize,
}

/// A model that was tried.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Candidate {
    /// Its orders, as in `(2,1,1)(0,1,0)[12]`.
    pub model: String,
    /// Whether it had a constant.
    pub constant: bool,
    /// Its information criterion; none when it could not be fitted, or has a root next to the unit circle.
    pub criterion: Option<f64>,
}

/// Where the walk is.
#[derive(Debug)]
struct Best {
    criterion: f64,
    orders: Orders,
    fit: Option<SarimaFit>,
}

/// Walks. `fit` has orders, whether there is a constant, and the coefficients of a model nearby; it answers with the criterion
/// and the fit, or nothing when the model will not do.
///
/// # Errors
/// Whatever `fit` fails with.
pub(in super::super) fn walk(
    space: &Space,
    mut fit: impl FnMut(&Orders, bool, Option<&Coefficients>) -> Result<Option<(f64, SarimaFit)>, ModelError>,
) -> Result<(Option<SarimaFit>, Vec<Candidate>), ModelError> {
    let mut seen = HashSet::new();
    let mut tried = Vec::new();
    let seasonal = space.start.period > 1;
    let at = |p: usize, q: usize, seasonal_p: usize, seasonal_q: usize| Orders {
        p: p.min(space.most.p),
        q: q.min(space.most.q),
        seasonal_p: if seasonal { seasonal_p.min(space.most.seasonal_p) } else { 0 },
        seasonal_q: if seasonal { seasonal_q.min(space.most.seasonal_q) } else { 0 },
        ..space.start
    };
    let Orders { p, q, seasonal_p, seasonal_q, .. } = space.start;
    let first = at(p, q, seasonal_p, seasonal_q);
    let mut best = Best { criterion: f64::INFINITY, orders: first, fit: None };
    let mut attempt = |orders: Orders, constant: bool, best: &mut Best| -> Result<bool, ModelError> {
        if tried.len() >= space.models || !seen.insert((orders, constant)) {
            return Ok(false);
        }
        let outcome = fit(&orders, constant, best.fit.as_ref().map(|fit| &fit.coefficients))?;
        let criterion = outcome.as_ref().map(|(criterion, _)| *criterion).filter(|criterion| !criterion.is_nan());
        tried.push(Candidate { model: orders.name(), constant, criterion });
        match (criterion, outcome) {
            (Some(criterion), Some((_, fit))) if criterion < best.criterion => {
                *best = Best { criterion, orders, fit: Some(fit) };
                Ok(true)
            }
            _ => Ok(false),
        }
    };
    for orders in [first, at(0, 0, 0, 0), at(1, 0, 1, 0), at(0, 1, 0, 1)] {
        attempt(orders, space.constant, &mut best)?;
    }
    if space.constant {
        attempt(at(0, 0, 0, 0), false, &mut best)?;
    }
    // As in statsforecast, neighbours keep the constant though the simplest model is better without it.
    let mut constant = space.constant;
    'better: loop {
        let here = best.orders;
        for [seasonal_p, seasonal_q, p, q] in STEPS {
            let step = |from: usize, by: isize, most: usize| from.checked_add_signed(by).filter(|to| *to <= most);
            let (Some(p), Some(q), Some(seasonal_p), Some(seasonal_q)) = (
                step(here.p, p, space.most.p),
                step(here.q, q, space.most.q),
                step(here.seasonal_p, seasonal_p, if seasonal { space.most.seasonal_p } else { 0 }),
                step(here.seasonal_q, seasonal_q, if seasonal { space.most.seasonal_q } else { 0 }),
            ) else {
                continue;
            };
            if attempt(Orders { p, q, seasonal_p, seasonal_q, ..here }, constant, &mut best)? {
                continue 'better;
            }
        }
        if !(space.constant && attempt(here, !constant, &mut best)?) {
            break;
        }
        constant = !constant;
    }
    Ok((best.fit, tried))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fake(orders: &Orders, constant: bool, criterion: f64) -> Option<(f64, SarimaFit)> {
        let fit = SarimaFit {
            orders: *orders,
            coefficients: Coefficients::zeros(orders),
            has_constant: constant,
            intercept: 0.0,
            beta: Vec::new(),
            sigma2: 1.0,
            log_likelihood: 0.0,
            observations: 10,
        };
        Some((criterion, fit))
    }

    fn space() -> Space {
        Space {
            start: Orders::new([2, 1, 2], [1, 0, 1, 12]),
            most: Orders::new([5, 0, 5], [2, 0, 2, 12]),
            constant: true,
            models: 94,
        }
    }

    #[test]
    fn the_walk_ends_where_no_neighbour_is_better() {
        // A bowl with its bottom at (4,1,0)(0,0,2) without a constant, which costs less than a step.
        let bowl = |o: &Orders, constant: bool| {
            let far = |a: usize, b: usize| a.abs_diff(b) as f64;
            far(o.p, 4) + far(o.q, 0) + far(o.seasonal_p, 0) + far(o.seasonal_q, 2) + 0.5 * f64::from(constant)
        };
        let (fit, tried) = walk(&space(), |o, c, _| Ok(fake(o, c, bowl(o, c)))).unwrap();
        let fit = fit.unwrap();
        assert_eq!((fit.orders.name().as_str(), fit.has_constant), ("(4,1,0)(0,0,2)[12]", false));
        let mut names: Vec<_> = tried.iter().map(|t| (t.model.clone(), t.constant)).collect();
        assert_eq!(
            names[..4].iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
            ["(2,1,2)(1,0,1)[12]", "(0,1,0)(0,0,0)[12]", "(1,1,0)(1,0,0)[12]", "(0,1,1)(0,0,1)[12]"]
        );
        let count = names.len();
        names.sort();
        names.dedup();
        assert!(names.len() == count && count < 94, "{count} tried, each once");
    }

    #[test]
    fn a_walk_with_nothing_that_fits_ends_empty() {
        let (fit, tried) = walk(&space(), |_, _, _| Ok(None)).unwrap();
        assert!(fit.is_none() && tried.iter().all(|t| t.criterion.is_none()), "{tried:?}");
        let limited = Space { models: 3, ..space() };
        let (_, tried) = walk(&limited, |o, c, _| Ok(fake(o, c, -(o.p as f64)))).unwrap();
        assert_eq!(tried.len(), 3);
    }
}
