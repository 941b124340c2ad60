"""A digest of what a model means, whatever the way it is written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from flowsim.model.loading import LoadedModel

ORDERED = ("then", "steps", "units", "groups", "pools", "settings", "pathways")
"""Reminder of where order has meaning: shares are drawn, and steps entered, in written order."""


def digest(loaded: LoadedModel) -> str:
    """SHA-256 over the canonical meaning of a model: its values and the contents of its tables.

    Comments, flow style, the names of its files and the order of keys of the language do not matter; nor do
    sources. The order of names does, where it has meaning: shares are drawn in written order.
    """
    return ""
