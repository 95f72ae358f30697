"""The billing office of a water district in Excel, computed by Python to the exact cent."""

__version__ = "0.1.0"
