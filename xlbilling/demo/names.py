"""Invented people, businesses and streets of the sample district."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

Texts = npt.NDArray[Any]

DISTRICT: Final = "Alder Mesa Water District"
CITY: Final = "Alder Mesa, CA 90000"

_GIVEN: Final = (
    "Adela Amos Anneke Arlo Bettina Bram Calla Cyril Dagny Delmar Elio Esme Fenella Florian Greta Hollis Ilse Ivor "
    "Jonah Juniper Katya Lars Leonie Lucan Marit Milo Nadia Nestor Odile Orrin Paloma Quentin Rosalba Rufus Sabine "
    "Silas Tamsin Tobias Ulla Viggo Willa Xenia Yara Zeno"
).split()
_FAMILY: Final = (
    "Abernook Alderwick Bexmoor Brackenby Calverhay Corbrant Dallimar Dunnegrove Elmscar Estrellado Fallowfen Farrowind "
    "Garrickson Gladmoor Halvorsten Harrowick Inglemont Jessamore Kestervale Kirkhollin Larkmead Lindovar Marchbrook "
    "Montefrío Nettlesby Norwexham Oakhallow Ostramar Pellingham Perrivale Quillmar Ravenscot Rosamonte Saltwell "
    "Sandoverre Tarnbrook Thistleway Umberlow Valdecima Vintermoor Wexcombe Windrush Yarrowell Zellandine"
).split()
_TRADES: Final = (
    "Bakery|Cabinet Works|Cannery|Car Wash|Coffee Roasters|Dental Group|Feed and Seed|Florists|Hardware|Hotel|Laundry|"
    "Machine Shop|Market|Nursery|Printing|Storage|Tile and Stone|Veterinary Clinic"
).split("|")
_HOMES: Final = (
    "Arbor Court|Cedar Terrace|Fountain Square|Hillside Gardens|Laurel House|Mesa View|Orchard Row|Plaza Norte|"
    "Quarry Lofts|Sunfield Commons"
).split("|")
_GREENS: Final = "Greenbelt|Median Strips|Neighborhood Park|Playing Fields|Slope Planting".split("|")
_STREETS: Final = (
    "Acorn Knoll Way|Bluestem Avenue|Buckthorn Court|Camino Farolito|Canteen Road|Coyote Mint Lane|Dry Creek Drive|"
    "Elderberry Street|Fiddleneck Lane|Granary Street|Gravel Pit Road|Heron Slough Road|Ironbark Avenue|Jackdaw Place|"
    "Kettle Hill Road|Lantern Street|Lupine Terrace|Manzanito Drive|Mill Race Lane|Nighthawk Court|Old Pump Road|"
    "Paseo Alisal|Penstemon Way|Quailbrush Street|Reservoir Road|Rock Wren Place|Sagehen Avenue|Saltbrush Lane|"
    "Standpipe Street|Tanoak Drive|Tule Bend|Umber Ridge Road|Valve House Lane|Weir Street|Yerba Court"
).split("|")
_ELSEWHERE: Final = ("Port Hadley, CA 90000", "San Lorimar, CA 90000", "Vista Quemada, CA 90000")
_PLACES: Final = {"RESIDENTIAL_MULTI": _HOMES, "COMMERCIAL": _TRADES, "IRRIGATION": _GREENS}


def pick(rng: np.random.Generator, choices: list[str] | tuple[str, ...], count: int) -> Texts:
    """`count` texts drawn from the choices."""
    drawn: Texts = np.array(choices, dtype=object)[rng.integers(0, len(choices), count)]
    return drawn


def customers(rng: np.random.Generator, classes: Texts) -> Texts:
    """A name for each customer: a person in a house, else a business, homes or a green of some family's name."""
    count = len(classes)
    family = pick(rng, _FAMILY, count)
    made = pick(rng, _GIVEN, count) + " " + family
    for name, places in _PLACES.items():
        made = np.where(classes == name, family + " " + pick(rng, places, count), made)
    return made


def premises(rng: np.random.Generator, count: int) -> Texts:
    """Street addresses in the order the routes are walked: street by street, house numbers rising."""
    street = np.sort(rng.integers(0, len(_STREETS), count))
    first = np.searchsorted(street, street, side="left")
    house = 100 + 2 * (np.arange(count) - first) + rng.integers(0, 2, count)
    address: Texts = house.astype(str).astype(object) + " " + np.array(_STREETS, dtype=object)[street]
    return address


def mailing(rng: np.random.Generator, premise: Texts) -> tuple[Texts, Texts]:
    """Street and city lines of the mailing addresses: the premise, or for one in ten a box elsewhere."""
    away = rng.random(len(premise)) < 0.1
    boxes = "PO Box " + rng.integers(100, 9999, len(premise)).astype(str).astype(object)
    return np.where(away, boxes, premise), np.where(away, pick(rng, _ELSEWHERE, len(premise)), CITY)


def contacts(rng: np.random.Generator, account: Texts) -> tuple[Texts, Texts]:
    """E-mail addresses, for six customers in ten, and phone numbers from the range kept for fiction."""
    has = rng.random(len(account)) < 0.6
    phone = np.char.mod("(555) 555-01%02d", rng.integers(0, 100, len(account))).astype(object)
    return np.where(has, "customer" + account + "@example.com", ""), phone
