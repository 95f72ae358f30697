"""Part estimates: services of which some registers are read and others estimated, checked once both are known.

Before the estimate such a service has no consumption that could be compared. What the checks then say is called
`spike / estimate`.
"""

from __future__ import annotations

from typing import Final

import pandas as pd

from xlbilling.trade.reads.findings import keys_of, of_estimate
from xlbilling.trade.reads.register_checks import Bench
from xlbilling.trade.reads.service_checks import of_consumption
from xlbilling.trade.reads.units import same

NOT_CARRIED_OUT: Final = ("override", "estimate")


def beside_estimates(services: pd.DataFrame, laid: pd.DataFrame, estimated: set[str], bench: Bench) -> pd.DataFrame:
    """What the checks of consumption say of services that were estimated in part; both frames after the decisions."""
    read = set(laid.loc[~same(laid["read_code"], "estimated"), "service_id"])
    rows = services.loc[services["service_id"].isin(estimated & read)].assign(stuck=False)
    said = pd.concat(of_consumption(rows, bench), ignore_index=True)
    rule = of_estimate(said["rule"])
    return said.assign(exception_id=rule + " " + keys_of(said), rule=rule)


def not_carried_out(findings: pd.DataFrame) -> dict[str, str]:
    """By service why what was decided on such findings holds the bill: the dials themselves have findings of their own."""
    decided = findings.loc[findings["decision"].isin(NOT_CARRIED_OUT)]
    pairs = zip(decided["service_id"], decided["decision"], strict=True)
    return {
        str(
            service
        ): f"{decision}: part of the service is estimated; accept it, ask for a re-read, or decide on its registers"
        for service, decision in pairs
    }
