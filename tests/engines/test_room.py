"""Free memory is what the tightest of the machine and its groups leaves, whoever counts them."""

from pathlib import Path

import pytest

pytest.importorskip("torch")

from workers.engines import room

GB = 10**9


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    file = tmp_path / "meminfo"
    file.write_text("MemTotal: 64000000 kB\nMemAvailable: 31250000 kB\n")
    return file


def group(folder: Path, limit: str, used: int, droppable: int, former: bool = False) -> None:
    _, limit_file, used_file, key = room.FORMER if former else room.UNIFIED
    folder.mkdir(parents=True, exist_ok=True)
    (folder / limit_file).write_text(f"{limit}\n")
    (folder / used_file).write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 1\n{key} {droppable}\n")


def free(machine: Path, mine: str, tmp_path: Path) -> float:
    file = tmp_path / "cgroup"
    file.write_text(mine)
    return room.processor(machine, file, tmp_path / "groups")


def test_without_a_limit_it_is_what_the_machine_has(machine: Path, tmp_path: Path) -> None:
    group(tmp_path / "groups" / "a", "max", 4 * GB, 0)
    assert free(machine, "0::/a\n", tmp_path) == 32 * GB


def test_a_containers_limit_counts_with_what_it_uses_less_what_can_be_dropped(
    machine: Path, tmp_path: Path
) -> None:
    group(tmp_path / "groups", str(8 * GB), 5 * GB, 2 * GB)
    assert free(machine, "0::/\n", tmp_path) == 5 * GB


def test_the_tightest_group_above_counts(machine: Path, tmp_path: Path) -> None:
    group(tmp_path / "groups" / "pods", str(3 * GB), GB, 0)
    group(tmp_path / "groups" / "pods" / "one", str(8 * GB), GB, 0)
    assert free(machine, "0::/pods/one\n", tmp_path) == 2 * GB


def test_the_former_version_of_groups_counts_too(machine: Path, tmp_path: Path) -> None:
    group(tmp_path / "groups" / "memory" / "box", str(6 * GB), 2 * GB, GB, former=True)
    mine = "9:name=systemd:/\n4:cpu,memory:/box\n1:cpu:/other\n0::/\n"
    assert free(machine, mine, tmp_path) == 5 * GB


def test_a_group_that_uses_more_than_its_limit_has_nothing_left(
    machine: Path, tmp_path: Path
) -> None:
    group(tmp_path / "groups", str(GB), 2 * GB, 0)
    assert free(machine, "0::/\n", tmp_path) == 0


def test_here_there_is_some() -> None:
    kind, left = room.free()
    assert kind in ("cpu", "cuda")
    assert left > GB / 10
