"""A small hub of weights on this machine, which misbehaves as it is told."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

REVISION = "e7b7dc27f91deacad38e78976d1f2b499d76a294"
FILES = {
    "model_index.json": b'{"_class_name": "Flux2KleinPipeline"}',
    "transformer/config.json": b"{}",
    "transformer/diffusion_pytorch_model.safetensors": b"\x02\0\0\0\0\0\0\0{}" + b"w" * 5000,
    "tokenizer/merges.txt": b"a b",
    "LICENSE.md": b"Apache License",
}
# What lies in a repository and is not taken.
LEFT = {
    "README.md": b"#",
    "flux-2-klein-4b.safetensors": b"all of it again",
    "tokenizer/chat_template.jinja": b"{% %}",
    "transformer/old.bin": b"pickle",
}


class Hub:
    """What it holds, and how it misbehaves."""

    def __init__(self) -> None:
        self.files = FILES | LEFT
        self.asked: list[tuple[str, str | None]] = []
        self.revision = REVISION
        self.breaks_after: int | None = None
        self.resumes = True
        self.elsewhere = ""
        self.sends = ""
        self.address = ""

    def answer(self, path: str) -> bytes | None:
        if path == f"/api/models/them/model/revision/{REVISION}":
            siblings = [{"rfilename": name} for name in self.files]
            return json.dumps({"sha": self.revision, "siblings": siblings}).encode()
        return self.files.get(path.removeprefix(f"/them/model/resolve/{REVISION}/"))


@contextmanager
def serving() -> Iterator[Hub]:
    """A hub on this machine, for as long as the block lasts."""
    held = Hub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            held.asked.append((self.path, wanted))
            body = held.answer(self.path)
            on = held.sends + self.path if "/resolve/" in self.path else ""
            if held.elsewhere or (held.sends and on and not self.path.startswith("/sent")):
                self.send_response(302)
                self.send_header("Location", held.elsewhere or on)
                self.end_headers()
                return
            if body is None:
                self.send_error(404)
                return
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
            start = start if held.resumes else 0
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(body) - start))
            self.end_headers()
            if held.breaks_after is not None and len(body) > held.breaks_after:
                self.wfile.write(body[start : held.breaks_after])
                self.close_connection = True
                return
            self.wfile.write(body[start:])

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    held.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield held
    server.shutdown()
    server.server_close()
