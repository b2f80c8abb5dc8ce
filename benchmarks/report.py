"""Turns the figures `run.py` collected into Markdown; knows nothing of how they were measured."""

from typing import List


def markdown(report: dict) -> str:
    machine = report["machine"]
    text = [
        "# Benchmark report",
        "",
        f"{report['date']}, commit {report['commit'] or 'unknown'}, binary of {report['binary_mb']:.0f} MB, "
        f"`--master {report['master']}`.",
        f"{machine['cpu']}, {machine['cores']} cores, {machine['system']}, Python {machine['python']}; "
        f"load average before the first run {machine['load_average'][0]:.2f}.",
        f"Figures are medians (min to max). Peak memory below {report['peak_floor_mb']:.0f} MB cannot be told apart.",
    ]
    sections = {
        "cold": cold_section,
        "scaling": scaling_section,
        "hierarchy": hierarchy_section,
        "executors": executors_section,
        "fit": fit_section,
    }
    for name, section in sections.items():
        result = report["results"].get(name)
        if result is None:
            continue
        text += ["", f"## {name}", ""]
        text += ["No result:", "", "```text", result["failed"], "```"] if "failed" in result else section(result)
    text += ["", "## Commands", "", "From the root of the project:", "", "```sh", *report["commands"], "```"]
    return "\n".join(text) + "\n"


def cold_section(result: dict) -> List[str]:
    return [
        f"A fresh process forecasts {result['series']} weekly series (one of them of a single row) "
        f"{result['rows'] // result['series']} weeks ahead with ETS, {result['wall_s']['n']} runs.",
        "",
        *table(
            ["wall s", "CPU s", "peak MB"],
            [[show(result["wall_s"], 3), show(result["cpu_s"], 3), show(result["peak_mb"], 0)]],
        ),
    ]


def scaling_section(result: dict) -> List[str]:
    cells = [
        [
            f"{size['series']:,}",
            f"{size['input_mb']:,.0f}",
            show(size["cpu_s"], 2),
            show(size["wall_s"], 2),
            show(size["peak_mb"], 0),
            f"{size['cpu_us_per_series']:.0f}",
        ]
        for size in result["sizes"]
    ]
    runs = result["sizes"][0]["wall_s"]["n"]
    return [
        f"Series of {result['points']} daily points in time order, Naive, {result['steps']} steps ahead; "
        f"runs per size: {runs}.",
        "",
        *table(["series", "input MB", "CPU s", "wall s", "peak MB", "CPU µs per series"], cells),
    ]


def hierarchy_section(result: dict) -> List[str]:
    cold = result["cold"]
    cells = [
        [
            f"{size['leaves']:,} and {size['sums']:,} sums",
            show(size["cpu_s"], 2),
            show(size["wall_s"], 2),
            show(size["peak_mb"], 0),
            f"{size['cpu_us_per_series']:.0f}",
        ]
        for size in result["sizes"]
    ]
    return [
        "The example's 21 series, 3 stores and everything with the default model, 27 weeks ahead and reconciled, in a fresh process: "
        f"{show(cold['wall_s'], 3)} s wall, {show(cold['cpu_s'], 3)} s CPU, {show(cold['peak_mb'], 0)} MB.",
        "",
        f"Leaves of {result['points']} weekly points in three levels, Naive, 12 steps ahead and reconciled:",
        "",
        *table(["leaves", "CPU s", "wall s", "peak MB", "CPU µs per series"], cells),
    ]


def executors_section(result: dict) -> List[str]:
    cells = [[count, show(result[count]["wall_s"], 2)] for count in ("1", "2")]
    return [
        f"The default model on {result['series']:,} series, executors with one slot each:",
        "",
        *table(["executors", "wall s"], cells),
        "",
        f"Two are {result['times_sooner']:.2f} times sooner than one.",
    ]


def fit_section(result: dict) -> List[str]:
    ours = result["ours"]
    cost = ours["cpu_s_per_series"]
    cells = [["merlion (native)", show(cost, 3, 1e3), "", ""]]
    remarks = []
    for name, peer in result["peers"].items():
        if "missing" in peer:
            cells.append([name, "not measured", "", ""])
            remarks.append(f"- {name} was not measured: {peer['missing'].splitlines()[-1]}")
            continue
        time_ms = {"median": peer["cpu_s_per_series"], "min": peer["cpu_s_min"], "max": peer["cpu_s_max"]}
        times = f"{peer['cpu_s_per_series'] / cost['median']:.1f}" if cost["min"] > 0 else ""
        apart = peer.get("forecast_difference")
        agreement = f"{apart['median']:.2%} (max {apart['max']:.2%})" if apart else ""
        cells.append([f"{name} {peer['version']}", show(time_ms, 2, 1e3), times, agreement])
        if peer["errors"]:
            remarks.append(f"- {name}: {len(peer['errors'])} fits failed, the first with {peer['errors'][0]}")
    if cost["min"] <= 0:
        remarks.append("- Our fit cost is within the noise of the subtraction: raise --copies.")
    return [
        f"ETS (additive error and damped additive trend, no season) on {result['series']} series; "
        f"ours {result['copies']} times over in one table: CPU {show(ours['ets']['cpu_s'], 2)} s with ETS, "
        f"{show(ours['naive']['cpu_s'], 2)} s with Naive, and the difference is the fit. "
        "For peers the figure is the mean over their fits.",
        "",
        *table(["", "CPU ms per series", "times ours", "their forecasts differ from ours by"], cells),
        *([""] + remarks if remarks else []),
    ]


def table(header: List[str], rows: List[List[str]]) -> List[str]:
    lines = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(cells) + " |" for cells in lines]


def show(values: dict, digits: int, scale: float = 1.0) -> str:
    """
    >>> show({"median": 0.002, "min": 0.001, "max": 0.003}, 1, 1e3)
    '2.0 (1.0 to 3.0)'
    """
    median, low, high = (f"{values[key] * scale:,.{digits}f}" for key in ("median", "min", "max"))
    return f"{median} ({low} to {high})"
