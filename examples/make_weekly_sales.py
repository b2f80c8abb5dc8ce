"""Makes `weekly_sales.csv`, the example table: weekly sales of a few departments in three invented stores.

    python3 examples/make_weekly_sales.py > examples/weekly_sales.csv

reproduces the committed file byte for byte. Every number is drawn from the seeded generator below; none is taken from
a published data set. Only the *shape* is that of the table Merlion's Spark examples use (same column names, same
weeks), so that their command lines run on this file unchanged.

Python 3.8 or later, standard library only. What is odd in which series, and why, is told in `README.md` beside this
file; the constants under "oddities" are where it happens.
"""

import math
import random
import sys
from datetime import date, timedelta
from typing import Dict, NamedTuple, Tuple

SEED = 20121026
WEEKS = 143
LAST_FRIDAY = date(2012, 10, 26)
HEADER = "Store,Dept,Date,Weekly_Sales,Temperature,Fuel_Price,CPI,Unemployment,IsHoliday"

# A row covers the week that ends on its Friday, so a holiday belongs to the first Friday on or after its day.
HOLIDAYS = {
    "super_bowl": [date(2010, 2, 7), date(2011, 2, 6), date(2012, 2, 5)],
    "labor_day": [date(2010, 9, 6), date(2011, 9, 5), date(2012, 9, 3)],
    "thanksgiving": [date(2010, 11, 25), date(2011, 11, 24)],
    "christmas": [date(2010, 12, 25), date(2011, 12, 25)],
}


class Department(NamedTuple):
    """How one department sells, before a store's size scales it."""

    level: float  # dollars a week
    growth: float  # relative, per year
    season: float  # relative amplitude of the yearly wave
    peak_day: int  # day of the year on which that wave is highest
    noise: float  # relative standard deviation of a week
    holidays: Dict[str, float]  # factor in a holiday's week
    advent: float = 1.0  # factor reached in the week before Christmas, built up over five weeks


DEPARTMENTS: Dict[int, Department] = {
    # groceries: large, calm
    1: Department(41_300.0, 0.03, 0.04, 355, 0.025, {"super_bowl": 1.12, "thanksgiving": 1.25}, 1.15),
    # toys: the year is made in December
    2: Department(9_700.0, 0.02, 0.06, 340, 0.060, {"thanksgiving": 1.90, "christmas": 1.30}, 3.10),
    # garden: a wave with its top in May
    3: Department(12_400.0, 0.01, 0.55, 140, 0.070, {"labor_day": 1.20}),
    # school and office supplies: late summer
    4: Department(6_850.0, 0.00, 0.38, 230, 0.065, {"labor_day": 1.15}),
    # electronics: Thanksgiving
    5: Department(23_600.0, 0.05, 0.05, 350, 0.050, {"super_bowl": 1.18, "thanksgiving": 2.35}, 1.60),
    # clothing
    6: Department(17_200.0, 0.02, 0.10, 110, 0.055, {"labor_day": 1.12, "thanksgiving": 1.45}, 1.35),
    # hardware: grows
    7: Department(8_150.0, 0.14, 0.12, 160, 0.045, {"labor_day": 1.10}),
    # photo: shrinks
    8: Department(5_400.0, -0.16, 0.05, 350, 0.050, {"thanksgiving": 1.20}, 1.45),
    # heating: the garden's opposite
    9: Department(7_300.0, 0.01, 0.60, 10, 0.080, {}),
    # pharmacy: nearly flat
    10: Department(19_900.0, 0.04, 0.03, 30, 0.030, {}),
}


class Store(NamedTuple):
    """Size and surroundings of one store."""

    size: float
    mean_temperature: float  # degrees Fahrenheit
    temperature_swing: float
    fuel_offset: float  # dollars a gallon over the national price
    cpi: float
    unemployment: float  # per cent


STORES: Dict[int, Store] = {
    1: Store(1.00, 61.0, 20.0, -0.04, 187.4, 8.6),
    2: Store(1.37, 49.0, 24.0, 0.11, 203.9, 9.7),
    3: Store(0.62, 55.0, 18.0, 0.02, 195.2, 7.9),
}

# The oddities. Weeks count from 0, the first Friday.
GAPS: Dict[Tuple[int, int], range] = {
    (1, 4): range(20, 120, 29),  # four single weeks
    (2, 3): range(88, 94),  # six weeks in a row
    (2, 9): range(140, 142),  # two of the last three
}
EMPTY_CELLS = {(1, 6): (12, 57, 101)}
INTERMITTENT = {(2, 8): 0.35}  # chance that a week sells anything
LEVEL_SHIFTS = {(2, 5): (79, 0.55)}  # from that week on, times that factor
OUTLIERS = {(1, 10): (136, 2.4)}  # one week, times that factor
SINGLE_ROW = (3, 1)


def normal(rng: random.Random) -> float:
    """A nearly normal draw (sum of twelve uniforms).

    `random.random()` is the one method whose stream Python promises to keep, hence no `gauss`.
    """
    return sum(rng.random() for _ in range(12)) - 6.0


def fridays() -> list:
    return [LAST_FRIDAY - timedelta(weeks=WEEKS - 1 - week) for week in range(WEEKS)]


def holidays_by_friday() -> Dict[date, str]:
    named = {}
    for name, days in HOLIDAYS.items():
        for day in days:
            named[day + timedelta(days=(4 - day.weekday()) % 7)] = name
    return named


def yearly_wave(day: date, peak_day: int) -> float:
    return math.cos(2.0 * math.pi * (day.timetuple().tm_yday - peak_day) / 365.25)


def advent_factor(day: date, top: float) -> float:
    """Rises over the five weeks before Christmas to `top`, then drops back at once."""
    days_left = (date(day.year, 12, 25) - day).days
    if not 0 <= days_left < 35:
        return 1.0
    return 1.0 + (top - 1.0) * (1.0 - days_left / 35.0)


def surroundings(number: int) -> list:
    """Temperature, fuel price, CPI and unemployment of a store, week by week."""
    store = STORES[number]
    national = random.Random(f"{SEED}/fuel")  # the same stream for every store: fuel follows one market
    local = random.Random(f"{SEED}/store/{number}")
    fuel_noise = weather = 0.0
    cpi, unemployment = store.cpi, store.unemployment
    rows = []
    for week, day in enumerate(fridays()):
        weather = 0.5 * weather + 3.5 * normal(local)
        temperature = store.mean_temperature + store.temperature_swing * yearly_wave(day, 200) + weather
        fuel_noise = 0.92 * fuel_noise + 0.035 * normal(national)
        fuel = 2.68 + 0.95 * min(week / 65.0, 1.0) + 0.12 * yearly_wave(day, 150) + fuel_noise + store.fuel_offset
        cpi += 0.075 + 0.05 * normal(local)
        if week % 13 == 9:  # published once a quarter
            unemployment -= 0.12 + 0.06 * normal(local)
        rows.append((temperature, fuel, cpi, unemployment))
    return rows


def sales(store: int, dept: int) -> list:
    """Weekly sales in dollars; `None` is a cell left empty."""
    key = (store, dept)
    shape = DEPARTMENTS[dept]
    rng = random.Random(f"{SEED}/sales/{store}/{dept}")
    holidays = holidays_by_friday()
    level = shape.level * STORES[store].size * (1.0 + 0.12 * normal(rng))
    drift = 0.0
    values = []
    for week, day in enumerate(fridays()):
        drift = 0.8 * drift + 0.5 * shape.noise * normal(rng)
        value = level * (1.0 + shape.growth * week / 52.18)
        value *= 1.0 + shape.season * yearly_wave(day, shape.peak_day)
        value *= shape.holidays.get(holidays.get(day, ""), 1.0) * advent_factor(day, shape.advent)
        value *= max(0.05, 1.0 + drift + shape.noise * normal(rng))
        if key in INTERMITTENT and rng.random() >= INTERMITTENT[key]:
            value = 0.0
        if key in LEVEL_SHIFTS and week >= LEVEL_SHIFTS[key][0]:
            value *= LEVEL_SHIFTS[key][1]
        if key in OUTLIERS and week == OUTLIERS[key][0]:
            value *= OUTLIERS[key][1]
        values.append(None if week in EMPTY_CELLS.get(key, ()) else value)
    return values


def rows() -> list:
    """All lines after the header, ordered by store, department and week as numbers."""
    holidays = holidays_by_friday()
    keys = [(store, dept) for store in (1, 2) for dept in DEPARTMENTS] + [SINGLE_ROW]
    lines = []
    for store, dept in keys:
        weeks = zip(fridays(), sales(store, dept), surroundings(store))
        for week, (day, value, (temperature, fuel, cpi, unemployment)) in enumerate(weeks):
            if week in GAPS.get((store, dept), ()) or ((store, dept) == SINGLE_ROW and week != WEEKS - 1):
                continue
            amount = "" if value is None else f"{value:.2f}"
            lines.append(
                f"{store},{dept},{day},{amount},{temperature:.2f},{fuel:.3f},{cpi:.4f},{unemployment:.3f},"
                f"{day in holidays}"
            )
    return lines


def main() -> None:
    sys.stdout.reconfigure(encoding="ascii", newline="\n")
    print(HEADER, *rows(), sep="\n")


if __name__ == "__main__":
    main()
