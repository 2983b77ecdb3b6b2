"""Engines on shapes alone, each built once a run: several tests ask for operations and sizes."""

from functools import cache

import torch

from deploy.models import costs


@cache
def engine_of(name: str) -> costs.Engine:
    """The largest has twenty thousand million parameters, if only in name."""
    with torch.device("meta"):
        return costs.ENGINES[name]()
