"""The tiny pipeline behind LitServe, in LitServe's own environment."""

import sys
from pathlib import Path
from typing import Any

import litserve
import tiny
from starlette.responses import Response


class Painter(litserve.LitAPI):
    """One worker, one picture at a time."""

    def setup(self, device: str) -> None:
        self.pipeline = tiny.load(Path(sys.argv[1]))

    def decode_request(self, request: dict[str, Any]) -> int:
        return int(request["seed"])

    def predict(self, seed: int) -> bytes:
        return tiny.jpeg(tiny.paint(self.pipeline, seed))

    def encode_response(self, output: bytes) -> Response:
        return Response(output, media_type="image/jpeg")


if __name__ == "__main__":
    server = litserve.LitServer(Painter(), accelerator="cpu", workers_per_device=1, timeout=120)
    server.run(
        host="127.0.0.1", port=int(sys.argv[2]), generate_client_file=False, log_level="warning"
    )
