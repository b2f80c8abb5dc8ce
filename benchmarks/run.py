"""Runs the end-to-end benchmarks against a built `merlion` and prints the results as Markdown.

    cargo build --release
    python3 benchmarks/run.py --binary target/release/merlion --json target/bench/report.json

`cold` is one small job in a fresh process, `scaling` goes from 2,000 to 200,000 series, `hierarchy` sums and reconciles up to
50,000 leaves, `executors` compares one executor with two, and `fit` is what fitting one ETS model costs, beside statsmodels and
Merlion in the same run. What each one measures, and what it does not, is
told in `README.md` beside this file. Nothing here judges a time: a run fails when a command fails or writes the wrong
number of rows, never because it was slow.

Python 3.8 or later on Linux or macOS, standard library only.
"""

import argparse
import csv
import json
import os
import platform
import resource
import shlex
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional

from report import markdown

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = "examples/weekly_sales.csv"
ETS = {"name": "ETS", "error": "add", "trend": "add", "damped_trend": True, "seasonal": None}
NAIVE = {"name": "Naive"}
AUTO = {"name": "DefaultForecaster"}
HIERARCHY_START, HIERARCHY_POINTS = date(2022, 1, 7), 104
LEAVES = [5_000, 50_000]
# The 27 weeks of Merlion's own example command.
WEEKS_AHEAD = [str(date(2012, 11, 2) + timedelta(weeks=i)) for i in range(27)]
SIZES = [2_000, 20_000, 200_000]
POINTS = 150
# The generator's daily series start on 2020-01-01; these are the 12 days after their end.
DAYS_AHEAD = [str(date(2020, 1, 1) + timedelta(days=POINTS + i)) for i in range(12)]
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class Failure(Exception):
    """A command did not do its work; the benchmark it belongs to has no result."""


class Usage(NamedTuple):
    """What one process cost."""

    wall_s: float
    cpu_s: float
    peak_mb: float


class Bench:
    """Runs commands from the root of the project, measures them, and remembers each distinct one for the report."""

    def __init__(self, args: argparse.Namespace):
        self.binary = relative(args.binary)
        self.generator = relative(args.generator)
        self.work = relative(args.work_dir)
        self.master = args.master
        self.timeout = args.timeout
        self.commands: List[str] = [f"mkdir -p {self.work}"]

    def run(self, argv: List[str], env: Optional[Dict[str, str]] = None, stdout: Optional[Path] = None) -> Usage:
        """One process from start to exit. CPU time and peak memory are the kernel's account of it (wait4)."""
        line = " ".join([f"{k}={v}" for k, v in (env or {}).items()] + [shlex.join(argv)])
        if line not in self.commands:
            self.commands.append(line)
        say(f"$ {line if len(line) < 160 else line[:157] + '...'}")
        log = ROOT / self.work / "stderr.txt"
        with open(log, "wb") as err, open(stdout or os.devnull, "wb") as out:
            start = time.perf_counter()
            process = subprocess.Popen(argv, cwd=ROOT, env={**os.environ, **(env or {})}, stdout=out, stderr=err)
            killer = threading.Timer(self.timeout, process.kill)
            killer.start()
            try:
                _, status, used = os.wait4(process.pid, 0)
            finally:
                killer.cancel()
            wall = time.perf_counter() - start
        process.returncode = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
        if process.returncode != 0:
            timed_out = wall >= self.timeout
            reason = f"stopped after {self.timeout:g} s" if timed_out else f"failed with exit code {process.returncode}"
            tail = log.read_text(errors="replace").strip()[-800:]
            raise Failure(f"{reason}: {line}\n{tail}".rstrip())
        return Usage(wall, used.ru_utime + used.ru_stime, megabytes(used.ru_maxrss))

    def forecast(self, data: str, columns: dict, index: List[str], stamps: List[str], model: dict) -> List[str]:
        """The command line of one forecast job; it always writes to the same directory."""
        return [
            self.binary, "forecast",
            "--train_data", data,
            "--output_path", f"{self.work}/out",
            "--time_stamps", json.dumps(stamps),
            "--target_col", columns["target"],
            "--index_cols", json.dumps(index),
            "--time_col", columns["time"],
            "--model", json.dumps(model),
            "--master", self.master,
        ]  # fmt: skip

    def timed_forecast(self, argv: List[str], rows: int) -> Usage:
        """Runs a forecast job into an empty directory and checks that no row was lost or invented."""
        out = ROOT / self.work / "out"
        shutil.rmtree(out, ignore_errors=True)
        usage = self.run(argv)
        written = sum(lines(part) - 1 for part in out.glob("part-*"))
        if written != rows:
            raise Failure(f"wrote {written} rows instead of {rows}: {shlex.join(argv)}")
        return usage


def cold(bench: Bench, args: argparse.Namespace) -> dict:
    """A small job in a fresh process: 20 series and one that no model can fit."""
    argv = bench.forecast(EXAMPLE, {"target": "Weekly_Sales", "time": "Date"}, ["Store", "Dept"], WEEKS_AHEAD, ETS)
    rows = 21 * len(WEEKS_AHEAD)
    bench.timed_forecast(argv, rows)  # not counted: brings program and data into the page cache, so that runs compare
    usages = [bench.timed_forecast(argv, rows) for _ in range(args.runs)]
    return {"series": 21, "rows": rows, **spread_of(usages)}


def scaling(bench: Bench, args: argparse.Namespace) -> dict:
    """The cheapest model over ever more series: what moving, grouping and writing cost."""
    sizes = []
    for series in args.sizes:
        data = f"{bench.work}/series_{series}.csv"
        shape = ["--series", str(series), "--points", str(POINTS), "--order", "time"]
        bench.run([bench.generator, *shape, "--output", data])
        os.sync()  # or the disk would still be busy with our input while the job runs
        argv = bench.forecast(data, {"target": "value", "time": "timestamp"}, ["series_id"], DAYS_AHEAD, NAIVE)
        rows = series * len(DAYS_AHEAD)
        usages = [bench.timed_forecast(argv, rows) for _ in range(args.scaling_runs)]
        result = {"series": series, "input_mb": (ROOT / data).stat().st_size / 1e6, "rows": rows, **spread_of(usages)}
        result["cpu_us_per_series"] = result["cpu_s"]["median"] / series * 1e6
        sizes.append(result)
    return {"points": POINTS, "steps": len(DAYS_AHEAD), "sizes": sizes}


def hierarchy(bench: Bench, args: argparse.Namespace) -> dict:
    """Sums over three levels, all forecasts reconciled: a small job in a fresh process, then ever more leaves."""
    example = bench.forecast(EXAMPLE, {"target": "Weekly_Sales", "time": "Date"}, ["Store", "Dept"], WEEKS_AHEAD, AUTO)
    rows = (21 + 4) * len(WEEKS_AHEAD)
    bench.timed_forecast([*example, "--hierarchical"], rows)  # not counted, as in cold
    result = {"cold": spread_of([bench.timed_forecast([*example, "--hierarchical"], rows) for _ in range(args.runs)])}
    result["sizes"] = []
    stamps = [str(HIERARCHY_START + timedelta(weeks=HIERARCHY_POINTS + i)) for i in range(12)]
    for leaves in args.leaves:
        data = f"{bench.work}/leaves_{leaves}.csv"
        sums = write_hierarchy(ROOT / data, leaves)
        os.sync()
        argv = bench.forecast(data, {"target": "y", "time": "day"}, ["region", "store", "item"], stamps, NAIVE)
        rows = (leaves + sums) * len(stamps)
        usages = [bench.timed_forecast([*argv, "--hierarchical"], rows) for _ in range(args.scaling_runs)]
        size = {"leaves": leaves, "sums": sums, **spread_of(usages)}
        size["cpu_us_per_series"] = size["cpu_s"]["median"] / (leaves + sums) * 1e6
        result["sizes"].append(size)
    return {"points": HIERARCHY_POINTS, **result}


def write_hierarchy(path: Path, leaves: int) -> int:
    """Weekly rows of regions of 100 stores of 50 items, in time order; returns how many sums they have."""
    keys = [(leaf // 5000, leaf // 50, leaf % 50) for leaf in range(leaves)]
    with open(path, "w", encoding="utf-8") as file:
        file.write("region,store,item,day,y\n")
        for week in range(HIERARCHY_POINTS):
            day = HIERARCHY_START + timedelta(weeks=week)
            file.writelines(
                f"r{region},s{store},i{item},{day},{100 + item + 0.1 * week + store * week % 11}\n"
                for region, store, item in keys
            )
    return 1 + len({key[0] for key in keys}) + len({key[1] for key in keys})


def executors(bench: Bench, args: argparse.Namespace) -> dict:
    """A job that computes much and moves little, on one executor with one slot and on two of them."""
    rows_per_series = len(WEEKS_AHEAD)
    data, peer = f"{bench.work}/fit_ours.csv", f"{bench.work}/fit_peer.csv"
    series = even_series(ROOT / EXAMPLE)
    write_fit_tables(series, ROOT / data, ROOT / peer, args.copies)
    argv = bench.forecast(data, {"target": "value", "time": "time"}, ["copy", "series"], WEEKS_AHEAD, AUTO)
    result = {"series": args.copies * len(series)}
    for count in (1, 2):
        with Cluster(bench, count) as master:
            argv[argv.index("--master") + 1] = master
            bench.timed_forecast(argv, result["series"] * rows_per_series)  # not counted: the first job opens connections
            usages = [bench.timed_forecast(argv, result["series"] * rows_per_series) for _ in range(args.scaling_runs)]
        result[str(count)] = spread_of(usages)
    result["times_sooner"] = result["1"]["wall_s"]["median"] / result["2"]["wall_s"]["median"]
    return result


class Cluster:
    """A scheduler and executors with one slot each, on loopback."""

    def __init__(self, bench: Bench, executors: int):
        self.bench, self.executors, self.processes = bench, executors, []

    def __enter__(self) -> str:
        port = free_ports(1 + 2 * self.executors)
        master = f"ballista://127.0.0.1:{port[0]}"
        self.start("scheduler", "--port", str(port[0]))
        wait_for(port[0])
        for n in range(self.executors):
            flight, grpc = port[1 + 2 * n : 3 + 2 * n]
            self.start("executor", "--master", master, "--cores", "1", "--port", str(flight), "--grpc-port", str(grpc))
            wait_for(grpc)
        time.sleep(1)  # until the scheduler has registered them
        return master

    def start(self, *args: str) -> None:
        argv = [self.bench.binary, *args]
        self.processes.append(subprocess.Popen(argv, cwd=ROOT, stderr=subprocess.DEVNULL))

    def __exit__(self, *_: object) -> None:
        for process in reversed(self.processes):
            process.terminate()
            process.wait()


def free_ports(count: int) -> List[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise Failure(f"nobody listens on port {port}")


def fit(bench: Bench, args: argparse.Namespace) -> dict:
    """The cost of fitting alone: the same job with ETS and with Naive, and the peers on the same series."""
    series = even_series(ROOT / EXAMPLE)
    ours_csv, peer_csv = f"{bench.work}/fit_ours.csv", f"{bench.work}/fit_peer.csv"
    write_fit_tables(series, ROOT / ours_csv, ROOT / peer_csv, args.copies)
    columns, index = {"target": "value", "time": "time"}, ["copy", "series"]
    with_ets = bench.forecast(ours_csv, columns, index, WEEKS_AHEAD, ETS)
    with_naive = bench.forecast(ours_csv, columns, index, WEEKS_AHEAD, NAIVE)
    fits = args.copies * len(series)
    rows = fits * len(WEEKS_AHEAD)
    ets, naive = [], []
    for _ in range(args.runs):  # in turns, so that a busy minute of the machine meets both
        naive.append(bench.timed_forecast(with_naive, rows))
        ets.append(bench.timed_forecast(with_ets, rows))
    forecasts = first_copies(ROOT / bench.work / "out")
    per_series = [(e.cpu_s - n.cpu_s) / fits for e, n in zip(ets, naive)]
    result = {
        "series": len(series),
        "copies": args.copies,
        "ours": {
            "ets": spread_of(ets),
            "naive": spread_of(naive),
            "cpu_s_per_series": spread(per_series),
        },
        "peers": {},
    }
    peer_json = ROOT / bench.work / "peer.json"
    argv = [relative(args.peer_python), "benchmarks/peer_ets.py", "--data", peer_csv]
    argv += ["--horizon", str(len(WEEKS_AHEAD)), "--repeats", str(args.peer_repeats)]
    try:
        bench.run(argv, env=ONE_THREAD, stdout=peer_json)
    except (Failure, OSError) as error:
        missing = {"missing": str(error)}
        return {**result, "peers": {"statsmodels": missing, "merlion": missing}}
    answer = json.loads(peer_json.read_text())
    result["peer_python"] = answer["python"]
    for name, peer in answer["peers"].items():
        theirs = peer.pop("forecasts", {})
        if theirs:
            peer["forecast_difference"] = spread([difference(forecasts[key], theirs[key]) for key in theirs])
        result["peers"][name] = peer
    return result


def even_series(path: Path) -> Dict[str, Dict[date, float]]:
    """The example's series that a model can fit, every week filled linearly, so that all sides see the same numbers."""
    table: Dict[str, Dict[date, float]] = {}
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["Weekly_Sales"]:
                known = table.setdefault(f"s{row['Store']}d{row['Dept']}", {})
                known[date.fromisoformat(row["Date"])] = float(row["Weekly_Sales"])
    return {name: fill_weeks(known) for name, known in table.items() if len(known) > 1}


def fill_weeks(known: Dict[date, float]) -> Dict[date, float]:
    """Linear in time between the known weeks.

    >>> list(fill_weeks({date(2012, 1, 6): 1.0, date(2012, 1, 20): 2.0}).values())
    [1.0, 1.5, 2.0]
    """
    days = sorted(known)
    filled = {}
    for left, right in zip(days, days[1:]):
        weeks = (right - left).days // 7
        for i in range(weeks):
            filled[left + timedelta(weeks=i)] = known[left] + (known[right] - known[left]) * i / weeks
    filled[days[-1]] = known[days[-1]]
    return filled


def write_fit_tables(series: Dict[str, Dict[date, float]], ours: Path, peer: Path, copies: int) -> None:
    """The peer's table holds each series once; ours holds it `copies` times, under as many keys."""
    lines = [[f"{name},{day},{value:.4f}\n" for day, value in rows.items()] for name, rows in series.items()]
    with open(peer, "w", encoding="utf-8") as file:
        file.write("series,time,value\n")
        file.writelines(line for block in lines for line in block)
    with open(ours, "w", encoding="utf-8") as file:
        file.write("copy,series,time,value\n")
        file.writelines(f"{copy},{line}" for copy in range(copies) for block in lines for line in block)


def first_copies(out: Path) -> Dict[str, List[float]]:
    """Our forecasts of the first copy of each series, in the order of time."""
    found: Dict[str, list] = {}
    for part in out.glob("part-*"):
        with open(part, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if row["copy"] == "0":
                    found.setdefault(row["series"], []).append((row["time"], float(row["value"] or "nan")))
    return {name: [value for _, value in sorted(rows)] for name, rows in found.items()}


def difference(ours: List[float], theirs: List[float]) -> float:
    """Mean absolute difference of two forecasts over the mean size of the second.

    >>> round(difference([101.0, 99.0], [100.0, 100.0]), 6)
    0.01
    """
    return sum(abs(a - b) for a, b in zip(ours, theirs)) / sum(abs(b) for b in theirs)


def spread(values: List[float]) -> dict:
    """
    >>> spread([3.0, 1.0, 2.0])
    {'median': 2.0, 'min': 1.0, 'max': 3.0, 'n': 3}
    """
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "n": len(values)}


def spread_of(usages: List[Usage]) -> dict:
    return {field: spread([getattr(usage, field) for usage in usages]) for field in Usage._fields}


def megabytes(maxrss: int) -> float:
    """`ru_maxrss` is in bytes on macOS and in KiB elsewhere."""
    return maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


def lines(path: Path) -> int:
    count = 0
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            count += block.count(b"\n")
    return count


def relative(path: str) -> str:
    """As seen from the root of the project, from where every command runs; other paths stay absolute.

    Links are not followed: the python of a virtual environment is one, and only works under its own name.
    """
    if os.sep not in path and shutil.which(path):
        return path
    full = os.path.abspath(path)
    inside = os.path.commonpath([full, ROOT]) == str(ROOT)
    return os.path.relpath(full, ROOT) if inside else full


def machine() -> dict:
    cpu = platform.processor() or platform.machine()
    try:
        names = [line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
        cpu = names[0] if names else cpu
    except OSError:
        pass
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "load_average": os.getloadavg(),
    }


def commit() -> Optional[str]:
    try:
        answer = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True)
    except OSError:
        return None
    return answer.stdout.strip() or None


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


BENCHMARKS = {"cold": cold, "scaling": scaling, "hierarchy": hierarchy, "executors": executors, "fit": fit}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=str(ROOT / "target/release/merlion"), help="[target/release/merlion]")
    parser.add_argument("--generator", help="the generate_series program [beside the binary]")
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, default=list(BENCHMARKS), help="[all]")
    parser.add_argument("--runs", type=positive, default=5, help="counted runs of cold and fit [5]")
    parser.add_argument("--scaling-runs", type=positive, default=3, help="counted runs of each size [3]")
    parser.add_argument("--sizes", type=positive, nargs="+", default=SIZES, help="[2000 20000 200000]")
    parser.add_argument("--leaves", type=positive, nargs="+", default=LEAVES, help="[5000 50000]")
    parser.add_argument("--copies", type=positive, default=100, help="how often fit repeats its 20 series [100]")
    parser.add_argument("--peer-python", default=sys.executable, help="a Python that has statsmodels [this one]")
    parser.add_argument("--peer-repeats", type=positive, default=5, help="how often peers fit each series [5]")
    parser.add_argument("--master", default="local[2]", help="[local[2]]")
    parser.add_argument("--timeout", type=float, default=1800.0, help="seconds before a command is stopped [1800]")
    parser.add_argument("--work-dir", default=str(ROOT / "target/bench"), help="inputs and outputs [target/bench]")
    parser.add_argument("--markdown", metavar="PATH", help="write the report here too")
    parser.add_argument("--json", metavar="PATH", help="write every figure here")
    args = parser.parse_args()
    args.generator = args.generator or str(Path(args.binary).with_name("generate_series"))
    needed = ["binary", "generator"] if "scaling" in args.only else ["binary"]
    for flag in needed:
        path = getattr(args, flag)
        if shutil.which(path) is None:
            parser.error(f"--{flag} {path} is not a program; build it with: cargo build --release --workspace")
        setattr(args, flag, shutil.which(path))
    return args


def main() -> int:
    args = arguments()
    Path(args.work_dir).mkdir(parents=True, exist_ok=True)
    bench = Bench(args)
    report = {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit(),
        "binary_mb": os.path.getsize(args.binary) / 1e6,
        "master": args.master,
        "machine": machine(),
        "results": {},
    }
    failed = False
    for name in args.only:
        say(f"== {name}")
        try:
            report["results"][name] = BENCHMARKS[name](bench, args)
        except Failure as error:
            failed = True
            say(f"error: {error}")
            report["results"][name] = {"failed": str(error)}
    report["commands"] = bench.commands
    # On Linux a child's peak counts from before it became the program we started: never below this process's own.
    report["peak_floor_mb"] = megabytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    text = markdown(report)
    print(text, end="")
    if args.markdown:
        Path(args.markdown).write_text(text, encoding="utf-8")
    if args.json:
        Path(args.json).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
