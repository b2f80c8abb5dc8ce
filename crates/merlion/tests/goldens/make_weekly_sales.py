"""What Python Merlion 2.0 (statsmodels 0.14.2) answers on the example data: `weekly_sales.json` beside this file.

    python make_weekly_sales.py ../../../../examples/weekly_sales.csv > weekly_sales.json
"""
import json
import sys
import types
import warnings

import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")
# The function that reconciles is plain numpy, but its module wants pyspark to be there.
for name in ["pyspark", "pyspark.sql", "pyspark.sql.functions", "pyspark.sql.types"]:
    sys.modules.setdefault(name, types.ModuleType(name))

from merlion.evaluate.forecast import ForecastMetric  # noqa: E402
from merlion.models.automl.seasonality import PeriodicityStrategy, SeasonalityLayer  # noqa: E402
from merlion.models.factory import ModelFactory  # noqa: E402
from merlion.transform.factory import TransformFactory  # noqa: E402
from merlion.utils import TimeSeries  # noqa: E402
from merlion.utils.hts import minT_reconciliation  # noqa: E402

HORIZON = 8
MODELS = [
    {"name": "ETS"},
    {"name": "ETS", "seasonal_periods": 52},
    {"name": "ETS", "error": "mul", "trend": None, "damped_trend": False, "seasonal": None},
    {"name": "AutoETS"},
    {"name": "DefaultForecaster"},
]
TRANSFORMS = [
    {"name": "DifferenceTransform"},
    {"name": "MeanVarNormalize"},
    {"name": "MinMaxNormalize"},
    {"name": "MovingAverage", "n_steps": 4},
    {"name": "ExponentialMovingAverage", "alpha": 0.3},
    {"name": "LowerUpperClip", "lower": 15000, "upper": 50000},
    {"name": "LagTransform", "k": 4},
    {"name": "BoxCoxTransform", "lmbda": 0.5},
    {"name": "TemporalResample", "granularity": "14D"},
]


def floats(values):
    return [None if not np.isfinite(v) else float(v) for v in values]


def series_json(ts):
    u = ts.univariates[ts.names[0]]
    return {"names": ["y"], "t": [t.timestamp() for t in u.index], "v": {"y": floats(u.values)}}


def main(path):
    table = pd.read_csv(path, parse_dates=["Date"])
    out = {"made_with": "salesforce-merlion 2.0, statsmodels 0.14.2", "series": {}, "models": [], "transforms": [], "seasonality": []}
    data = {}
    for store, dept in [(1, 1), (1, 3), (2, 2)]:
        rows = table[(table.Store == store) & (table.Dept == dept)].dropna(subset=["Weekly_Sales"])
        frame = rows.set_index("Date")[["Weekly_Sales"]].rename(columns={"Weekly_Sales": "y"})
        key = f"{store}_{dept}"
        data[key] = TimeSeries.from_pd(frame)
        out["series"][key] = series_json(data[key])
    for key, ts in data.items():
        for spec in MODELS:
            model = ModelFactory.create(**spec)
            train, _ = model.train(ts)
            forecast, err = model.forecast(HORIZON)
            inner = model
            while getattr(inner, "model", None) is not None and hasattr(inner.model, "train"):
                inner = inner.model
            fit = getattr(inner, "model", None)
            out["models"].append({
                "series": key,
                "model": spec,
                "loglik": float(fit.llf),
                "t": [t.timestamp() for t in forecast.univariates[forecast.names[0]].index],
                "forecast": floats(forecast.univariates[forecast.names[0]].values),
                "stderr": floats(err.univariates[err.names[0]].values),
                "season_length": int(getattr(inner.config, "seasonal_periods", None) or 1),
            })
        for spec in TRANSFORMS:
            transform = TransformFactory.create(**spec)
            transform.train(ts)
            transformed = transform(ts)
            out["transforms"].append({
                "series": key, "transform": spec, "output": series_json(transformed),
                "inverted": series_json(transform.invert(transformed, retain_inversion_state=True)),
            })
        for strategy in PeriodicityStrategy:
            found = SeasonalityLayer.detect_seasonality(
                x=ts.univariates["y"].values, max_lag=None, pval=0.05, periodicity_strategy=strategy)
            out["seasonality"].append({"series": key, "strategy": strategy.name, "value": [int(v) for v in found]})

    truth, guess = (ts for ts in [data["1_1"], data["1_3"]])
    common = min(len(truth), len(guess))
    times = truth.univariates["y"].index[:common]
    a, b = (pd.DataFrame({"y": ts.univariates["y"].values[:common]}, index=times) for ts in [truth, guess])
    a, b = TimeSeries.from_pd(a[-20:]), TimeSeries.from_pd(b[-20:])
    out["metrics"] = {
        "truth": series_json(a), "predict": series_json(b),
        "values": {m.name: float(m.value(a, b)) for m in
                   [ForecastMetric.MAE, ForecastMetric.MARRE, ForecastMetric.RMSE, ForecastMetric.sMAPE, ForecastMetric.RMSPE]},
    }

    # Everything, store 1 of two departments, store 2 of one, and the leaves, which the function wants last.
    matrix = np.array([[1, 1, 1], [1, 1, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    rng = np.random.RandomState(7)
    means, errs = 1000 + 500 * rng.rand(6, 3), 10 + 50 * rng.rand(6, 3)
    times = pd.date_range("2012-11-02", periods=3, freq="W-FRI")
    to_ts = lambda rows: [TimeSeries.from_pd(pd.DataFrame({"y": row}, index=times)) for row in rows]
    reconciled = minT_reconciliation(to_ts(means), to_ts(errs), matrix, 3)
    out["hierarchy"] = {
        "parents": [None, 0, 0, 1, 1, 2], "means": means.tolist(), "errs": errs.tolist(),
        "reconciled": [floats(ts.univariates[ts.names[0]].values) for ts in reconciled],
    }
    json.dump(out, sys.stdout, indent=0)


main(sys.argv[1])
