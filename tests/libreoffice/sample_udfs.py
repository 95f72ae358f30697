"""The Python behind the sample workbook's functions."""

import xlwings as xw


@xw.func
@xw.arg("gallons", numbers=float)
@xw.arg("rate", numbers=float)
def water_bill(gallons: float, rate: float = 5.0) -> float:
    if gallons < 0:
        raise ValueError("negative consumption")
    return gallons / 1000 * rate


@xw.func
@xw.arg("gallons", ndim=1)
def water_bills(gallons: list[float]) -> list[list[float]]:
    return [[each / 1000 * 5] for each in gallons]
