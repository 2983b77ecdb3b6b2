"""The tiny pipeline behind BentoML, in BentoML's own environment."""

import os
from pathlib import Path
from typing import Annotated

import bentoml
import tiny


@bentoml.service(workers=1, threads=1, traffic={"timeout": 120})
class Painter:
    """One worker, one picture at a time."""

    def __init__(self) -> None:
        self.pipeline = tiny.load(Path(os.environ["TINY_FOLDER"]))

    @bentoml.api
    def predict(self, seed: int) -> Annotated[bytes, bentoml.validators.ContentType("image/jpeg")]:
        """A JPEG."""
        return tiny.jpeg(tiny.paint(self.pipeline, seed))
