"""Customers, services and meters of the sample district, and the flow through them, all drawn from the seed."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.demo import names
from xlbilling.demo.cycles import CYCLES
from xlbilling.demo.flow import DIAL_PER_CCF, SWING, Flow, frame_of
from xlbilling.demo.rates import FIRE, FIRE_SIZES, SIZES, WATER
from xlbilling.store.schema import stored_columns
from xlbilling.words.periods import AccountingPeriod

Texts = npt.NDArray[Any]
Whole = npt.NDArray[np.int64]

_CLASSES: Final = tuple(SWING)
_CLASS_SHARE: Final = (0.80, 0.08, 0.08, 0.04)
_SIZE_SHARE: Final = {  # of the sizes of rates.SIZES, by class
    "RESIDENTIAL_SINGLE": (0.72, 0.19, 0.09, 0, 0, 0, 0),
    "RESIDENTIAL_MULTI": (0, 0.1, 0.35, 0.3, 0.2, 0.05, 0),
    "COMMERCIAL": (0.1, 0.25, 0.28, 0.17, 0.12, 0.05, 0.03),
    "IRRIGATION": (0, 0.1, 0.4, 0.3, 0.2, 0, 0),
}
_MEAN_CCF: Final = {"RESIDENTIAL_SINGLE": 19.0, "RESIDENTIAL_MULTI": 32.0, "COMMERCIAL": 22.0, "IRRIGATION": 34.0}
_BY_SIZE: Final = (1.0, 1.2, 1.7, 3.5, 7.0, 15.0, 28.0)
_UNITS: Final = ("CF", "CCF", "GAL")
_UNIT_SHARE: Final = (0.55, 0.27, 0.18)
_USUAL_DIALS: Final = {"CF": 6, "CCF": 4, "GAL": 7}
_COMPOUND_FROM: Final = SIZES.index('3"')
_MOST_DIALS: Final = 7
_ROOM: Final = 80.0  # a dial counts at least so many usual periods before it comes round
_EVERY_INACTIVE: Final = 61


def customers(rng: np.random.Generator, count: int, period: AccountingPeriod) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The Accounts table, and beside each account its class, size, premise, cycle, route and the days it was served."""
    number = 1000 + np.cumsum(rng.integers(1, 8, count))
    account = np.char.mod("%07d", number).astype(object)
    classes = np.array(_CLASSES, dtype=object)[rng.choice(len(_CLASSES), count, p=_CLASS_SHARE)]
    premise = names.premises(rng, count)
    street, city = names.mailing(rng, premise)
    email, phone = names.contacts(rng, account)
    inactive = np.arange(count) % _EVERY_INACTIVE == 17
    autopay = (rng.random(count) < 0.22) & ~inactive
    delivery = np.where((email != "") & (rng.random(count) < 0.5), "email", "paper")
    start = np.datetime64(period.first, "D")
    opened = start - rng.integers(500, 9000, count)
    closed = np.where(inactive, start - rng.integers(70, 200, count), np.datetime64("NaT"))
    half = np.arange(count) * 2 // count
    route = (np.arange(count) * 10 // count) % 5
    new = (rng.random(count) < 0.006) & ~inactive & (classes == "RESIDENTIAL_SINGLE")
    first_days = np.where(new, rng.integers(18, 50, count), 0)
    accounts = frame_of(
        {
            "account_id": account,
            "name": names.customers(rng, classes),
            "mail_street": street,
            "mail_city": city,
            "email": email,
            "phone": phone,
            "delivery": delivery,
            "autopay": np.where(autopay, "yes", "no"),
            "status": np.where(inactive, "closed", "active"),
            "opened_on": opened,
            "closed_on": closed,
        }
    )
    beside = pd.DataFrame(
        {"account_id": account, "customer_class": classes, "size": _sizes(rng, classes), "premise": premise}
        | {"cycle": half, "route": route, "inactive": inactive, "first_days": first_days, "opened_on": opened}
        | {"closed_on": closed}
    )
    return accounts, beside


def _sizes(rng: np.random.Generator, classes: Texts) -> Whole:
    """A meter size (place in rates.SIZES) for each customer."""
    made = np.zeros(len(classes), dtype=np.int64)
    for name, share in _SIZE_SHARE.items():
        rows = np.flatnonzero(classes == name)
        made[rows] = rng.choice(len(SIZES), len(rows), p=share)
    return made


def water_services(rng: np.random.Generator, customers: pd.DataFrame) -> pd.DataFrame:
    """Each customer's water service, and for some homes and businesses a second one for irrigation."""
    first = customers.assign(service_id=customers["account_id"] + "-W1")
    second = first.loc[first["customer_class"].isin(["RESIDENTIAL_MULTI", "COMMERCIAL"]) & ~first["inactive"]]
    second = second.loc[(rng.random(len(second)) < 0.15) & second["first_days"].eq(0).to_numpy()]
    size = second["size"].clip(lower=SIZES.index('1"'), upper=SIZES.index('2"'))
    second = second.assign(service_id=second["account_id"] + "-W2", customer_class="IRRIGATION", size=size)
    made = pd.concat([first, second]).sort_values(["cycle", "service_id"], ignore_index=True)
    mean = made["customer_class"].map(_MEAN_CCF).to_numpy() * np.array(_BY_SIZE)[made["size"].to_numpy()]
    made["base_ccf"] = np.clip(mean * np.exp(rng.normal(-0.12, 0.5, len(made))), 3.0, None)
    made["empty"] = (rng.random(len(made)) < 0.008) & made["first_days"].eq(0)
    return made


def fire_lines(rng: np.random.Generator, customers: pd.DataFrame) -> pd.DataFrame:
    """Fire lines of one business in four: priced by size, no meter."""
    made = customers.loc[customers["customer_class"].eq("COMMERCIAL") & ~customers["inactive"]]
    made = made.loc[rng.random(len(made)) < 0.25]
    return made.assign(service_id=made["account_id"] + "-F1", size=rng.integers(0, len(FIRE_SIZES), len(made)))


def registers(rng: np.random.Generator, services: pd.DataFrame) -> pd.DataFrame:
    """The registers of the water services: one each, two on a compound meter, or two meters side by side.

    Columns as flow.Flow.registers wants them, in order of the services.
    """
    count = len(services)
    compound = services["size"].to_numpy() >= _COMPOUND_FROM
    twin = ~compound & services["customer_class"].isin(["RESIDENTIAL_MULTI", "COMMERCIAL"]).to_numpy()
    twin &= rng.random(count) < 0.12
    pair = compound | twin
    service = np.repeat(np.arange(count), 1 + pair)
    second = np.r_[False, service[1:] == service[:-1]]
    unit = np.array(_UNITS, dtype=object)[rng.choice(3, count, p=_UNIT_SHARE)][service]
    share = np.where(pair[service], np.where(second, 0.62, 0.38), 1.0)
    high = compound[service] & second
    counted = services["base_ccf"].to_numpy()[service] * share * pd.Series(unit).map(DIAL_PER_CCF).to_numpy()
    wide = counted * _ROOM >= 10.0**_MOST_DIALS
    multiplier = np.where((high & (unit != "CCF")) | wide, 10, 1)
    usual = pd.Series(unit).map(_USUAL_DIALS).to_numpy() - ((rng.random(len(unit)) < 0.3) & (unit != "CCF"))
    dials = np.maximum(usual, np.ceil(np.log10(counted / multiplier * _ROOM))).astype(np.int64)
    new = services["first_days"].to_numpy()[service] > 0
    start = np.where(new, 0, (rng.uniform(0.04, 0.68, len(unit)) * 10.0**dials).astype(np.int64))
    meter = np.cumsum(rng.integers(3, 40, len(unit))) + 410_000
    meter = np.where(high, np.r_[0, meter[:-1]], meter)  # both registers of a compound meter carry its one number
    made = pd.DataFrame({"meter_id": np.char.mod("%08d", meter).astype(object), "service": service, "unit": unit})
    made["register_id"] = np.where(compound[service], np.where(second, "H", "L"), "")
    return made.assign(multiplier=multiplier, dials=dials, share=share, start=start)


def flow(seed: int, period: AccountingPeriod, services: pd.DataFrame, registers: pd.DataFrame) -> Flow:
    """The flow through the services; in each cycle one house's dial is about to come round to zero."""
    taps = pd.DataFrame(
        {
            "service_id": services["service_id"],
            "cycle": np.array([c.name for c in CYCLES], dtype=object)[services["cycle"].to_numpy()],
            "route": services["route"],
            "base_ccf": services["base_ccf"],
            "swing": services["customer_class"].map(SWING),
            "runs": ~services["inactive"],
            "empty": services["empty"],
            "first_days": services["first_days"],
        }
    )
    made = Flow(seed, period, taps, registers)
    house = services["customer_class"].eq("RESIDENTIAL_SINGLE") & ~services["inactive"] & ~services["empty"]
    house &= services["first_days"].eq(0) & services["base_ccf"].between(15, 60)
    for cycle in CYCLES:
        rows, at = made.of_cycle(cycle)
        steps = made.steps(cycle, 0)
        as_usual = np.zeros(len(services), dtype=bool)
        as_usual[rows] = np.abs(made.ccf(cycle, 0) / services["base_ccf"].to_numpy()[rows] - 1) < 0.4
        fit = (house.to_numpy() & as_usual)[registers["service"].to_numpy()[at]]
        fit &= registers["unit"].to_numpy()[at] == "GAL"
        chosen = np.flatnonzero(fit & (steps > 100))[:1]
        full = 10 ** registers["dials"].to_numpy()[at[chosen]]
        registers.loc[at[chosen], "start"] = full - steps[chosen] // 3
    return made


def services_table(water: pd.DataFrame, fire: pd.DataFrame, last_read: Texts) -> pd.DataFrame:
    """The Services table; `last_read` is the day each water service was last read, where a new one begins."""
    sizes = [np.array(SIZES, dtype=object)[water["size"]], np.array(FIRE_SIZES, dtype=object)[fire["size"]]]
    both = pd.concat([water, fire], ignore_index=True)
    is_fire = np.arange(len(both)) >= len(water)
    began = both["opened_on"].to_numpy(dtype="datetime64[D]").copy()
    new = np.flatnonzero(water["first_days"].to_numpy() > 0)
    began[new] = last_read[new]
    routes = np.array([c.routes for c in CYCLES], dtype=object)
    made = frame_of(
        {
            "service_id": both["service_id"],
            "account_id": both["account_id"],
            "premise": both["premise"],
            "service_type": np.where(is_fire, "fire", "water"),
            "customer_class": np.where(is_fire, "OTHER", both["customer_class"]),
            "tariff": np.where(is_fire, FIRE, WATER),
            "meter_size": np.concatenate(sizes),
            "cycle": np.array([c.name for c in CYCLES], dtype=object)[both["cycle"].to_numpy()],
            "route": routes[both["cycle"].to_numpy(), both["route"].to_numpy()],
            "inputs": "",
            "status": np.where(both["inactive"], "inactive", "active"),
            "started_on": began,
            "ended_on": both["closed_on"].to_numpy(dtype="datetime64[D]"),
        }
    )
    return made.assign(rev=1)[stored_columns("services")].sort_values("service_id", ignore_index=True)


def meters_table(flow: Flow, last_read: Texts, opened: Texts) -> pd.DataFrame:
    """The Meters table: each register with the dial and the day of its last read."""
    rows = flow.registers
    service = rows["service"].to_numpy()
    dial = [
        str(start).zfill(dials) for start, dials in zip(rows["start"].tolist(), rows["dials"].tolist(), strict=True)
    ]
    new = flow.services["first_days"].to_numpy()[service] > 0
    set_on = np.where(new, last_read[service], opened[service])
    made = frame_of(
        {
            "meter_id": rows["meter_id"],
            "register_id": rows["register_id"],
            "service_id": flow.services["service_id"].to_numpy()[service],
            "dials": rows["dials"],
            "unit": rows["unit"],
            "multiplier": rows["multiplier"].astype("str"),
            "status": "active",
            "set_on": set_on,
            "start_read": np.array(dial, dtype=object),
            "start_date": last_read[service],
            "removed_on": np.full(len(rows), np.datetime64("NaT"), dtype="datetime64[D]"),
        }
    )
    made = made.assign(final_read="", master_meter="", rev=1)
    return made[stored_columns("meters")].sort_values(["meter_id", "register_id"], ignore_index=True)
