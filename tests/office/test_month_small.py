from __future__ import annotations

import pytest

from tests.office.conftest import Office
from tests.office.small import DUE
from xlbilling.store.verify import verify


@pytest.mark.stage("posted")
@pytest.mark.both_databases
def test_every_bill_is_the_one_worked_out_by_hand(office: Office) -> None:
    bills = office.table("bill_services")
    assert dict(zip(bills["service_id"], bills["amount"], strict=True)) == DUE
    store = office.store()
    assert verify(store) == []
    store.close()
