"""Yunhe (运河): one ledger of public data, and the services and governing that live on it."""

__version__ = "0.1.0"
