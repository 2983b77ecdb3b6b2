"""The tiny pipeline behind Ray Serve, in Ray's own environment."""

import sys
import time
from pathlib import Path

import ray
import tiny
from ray import serve
from starlette.requests import Request
from starlette.responses import Response


@serve.deployment(num_replicas=1, ray_actor_options={"num_cpus": 1}, max_ongoing_requests=1)
class Painter:
    """One replica, one picture at a time."""

    def __init__(self, folder: str) -> None:
        self.pipeline = tiny.load(Path(folder))

    async def __call__(self, request: Request) -> Response:
        seed = int((await request.json())["seed"])
        return Response(tiny.jpeg(tiny.paint(self.pipeline, seed)), media_type="image/jpeg")


if __name__ == "__main__":
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[2])})
    serve.run(Painter.bind(sys.argv[1]), route_prefix="/predict")
    while True:
        time.sleep(1)
