"""The walk-throughs of the README and of the page for app developers work as they are pasted."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.env import ROOT
from deploy.stack.supervisor import Stack

BLOCK = re.compile(r"<!-- walk-through.*?-->\n```bash\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("page", ["README.md", "deploy/docs/mobile.md"])
def test_the_walk_through_with_curl_works_as_pasted(page: str, live: Stack, tmp_path: Path) -> None:
    if shutil.which("curl") is None or shutil.which("bash") is None:
        pytest.skip("needs curl and bash, which pip cannot install")
    found = BLOCK.search((ROOT / page).read_text())
    assert found is not None
    (tmp_path / "deploy").symlink_to(ROOT / "deploy")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", found.group(1)],
        cwd=tmp_path,
        env={**os.environ, "SITTER_URL": live.urls.web},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert (tmp_path / "portrait.jpg").read_bytes()[:3] == b"\xff\xd8\xff"
    assert '"signature"' in done.stdout
