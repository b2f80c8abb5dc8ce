"""The other side of the ETS benchmark: fits the same series with statsmodels, and with Merlion where it is installed.

`run.py` starts this in the peer's Python; it prints one JSON object. By hand, from the root of the project:

    OMP_NUM_THREADS=1 python3 benchmarks/peer_ets.py --data target/bench/fit_peer.csv --horizon 27 --repeats 5

The data has the columns series,time,value, evenly spaced and without empty cells, so that no pre-processing is timed.
CPU time is that of this process around fit and forecast; importing the libraries is not counted.
"""

import argparse
import csv
import json
import sys
import time
import warnings


def read(path):
    """{series: ([time], [value])} in the order of the file."""
    table = {}
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            times, values = table.setdefault(row["series"], ([], []))
            times.append(row["time"])
            values.append(float(row["value"]))
    return table


def measure(table, repeats, fit_and_forecast):
    """Every series `repeats` times. The first fit of all is told apart: it pays for what the library loads lazily."""
    seconds, forecasts, errors = [], {}, []
    for _ in range(repeats):
        for name, (times, values) in table.items():
            before = time.process_time()
            try:
                forecasts[name] = fit_and_forecast(times, values)
            except Exception as error:  # a peer's failure is a result, not a reason to stop
                errors.append(f"{name}: {type(error).__name__}: {error}"[:300])
            seconds.append(time.process_time() - before)
    first, rest = seconds[0], seconds[1:] or seconds
    mean = sum(rest) / len(rest)
    return {
        "fits": len(rest),
        "cpu_s_first": first,
        "cpu_s_per_series": mean,
        "cpu_s_min": min(rest),
        "cpu_s_max": max(rest),
        "errors": errors,
        "forecasts": forecasts,
    }


def statsmodels_peer(table, horizon, repeats):
    import numpy
    import statsmodels
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    def fit_and_forecast(_times, values):
        model = ETSModel(numpy.asarray(values), error="add", trend="add", damped_trend=True)
        return [float(x) for x in model.fit(disp=False).forecast(horizon)]

    return {"version": statsmodels.__version__, **measure(table, repeats, fit_and_forecast)}


def merlion_peer(table, horizon, repeats):
    import logging
    from importlib.metadata import version

    import pandas
    from merlion.models.factory import ModelFactory
    from merlion.utils import TimeSeries

    logging.disable(logging.CRITICAL)

    def fit_and_forecast(times, values):
        frame = pandas.DataFrame({"value": values}, index=pandas.to_datetime(times))
        series = TimeSeries.from_pd(frame)
        step = frame.index[1] - frame.index[0]
        wanted = [frame.index[-1] + step * (i + 1) for i in range(horizon)]
        model = ModelFactory.create("ETS", error="add", trend="add", damped_trend=True, seasonal=None)
        model.train(series)
        forecast, _ = model.forecast([int(t.timestamp()) for t in wanted])
        return [float(x) for x in forecast.to_pd().iloc[:, 0]]

    return {"version": version("salesforce-merlion"), **measure(table, repeats, fit_and_forecast)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--horizon", type=int, required=True)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    table = read(args.data)
    peers = {}
    for name, peer in [("statsmodels", statsmodels_peer), ("merlion", merlion_peer)]:
        try:
            peers[name] = peer(table, args.horizon, args.repeats)
        except ImportError as error:
            peers[name] = {"missing": str(error)}
    json.dump({"python": sys.version.split()[0], "peers": peers}, sys.stdout)


if __name__ == "__main__":
    main()
