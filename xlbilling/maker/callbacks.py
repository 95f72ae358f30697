"""The VBA behind the ribbon: one sub for each button, which hands the button's id to Python."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from xlbilling.maker.ribbon import RibbonButton, callback
from xlbilling.maker.vba import Module

MODULE: Final = "Billing"


def callbacks_module(buttons: Iterable[RibbonButton]) -> Module:
    """The module of callbacks; what a button does is all in Python, the VBA only says which was pressed."""
    subs = (
        f"Public Sub {callback(button.id)}(control As IRibbonControl)\n"
        f"    RunPython \"import xlbilling.macros; xlbilling.macros.press('{button.id}')\"\n"
        "End Sub\n"
        for button in buttons
    )
    return Module(MODULE, "\n".join(["Option Explicit", "", *subs]))
