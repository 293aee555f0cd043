"""What is free and what was taken: control groups and limits from made-up files, address space and peaks for real."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from llmrec.runs.estimate import room
from llmrec.runs.estimate.values import MIB

ROOT = Path(__file__).parents[3]


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_control_group_s_limit_counts_with_what_its_parents_leave(tmp_path: Path) -> None:
    write(tmp_path / "proc/self/cgroup", "0::/lab/run\n")
    groups = tmp_path / "groups"
    write(groups / "lab/run/memory.max", "max\n")
    write(groups / "lab/run/memory.current", "50\n")
    write(groups / "lab/memory.max", "1000\n")
    write(groups / "lab/memory.current", "700\n")
    write(groups / "lab/memory.stat", "anon 5\ninactive_file 200\n")
    write(groups / "memory.max", "5000\n")
    write(groups / "memory.current", "700\n")
    assert room.group_left(tmp_path / "proc", groups) == [500, 4300]


def test_a_container_sees_its_own_group_at_the_root(tmp_path: Path) -> None:
    write(tmp_path / "proc/self/cgroup", "0::/docker/abc\n")
    write(tmp_path / "groups/memory.max", "1000\n")
    write(tmp_path / "groups/memory.current", "100\n")
    assert room.group_left(tmp_path / "proc", tmp_path / "groups") == [900]


def test_control_groups_of_the_first_version(tmp_path: Path) -> None:
    write(tmp_path / "proc/self/cgroup", "5:cpu:/x\n4:memory:/x\n")
    write(tmp_path / "groups/memory/x/memory.limit_in_bytes", "1000")
    write(tmp_path / "groups/memory/x/memory.usage_in_bytes", "400")
    write(tmp_path / "groups/memory/memory.limit_in_bytes", str(2**63 - 4096))
    write(tmp_path / "groups/memory/memory.usage_in_bytes", "400")
    assert room.group_left(tmp_path / "proc", tmp_path / "groups") == [600]


def test_what_is_free_is_the_least_of_all_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "PROC", tmp_path)
    monkeypatch.setattr(room, "GROUPS", tmp_path / "none")
    monkeypatch.setattr(room, "_gpu", lambda: False)
    write(tmp_path / "meminfo", "MemTotal: 9000 kB\nMemAvailable: 4000 kB\n")
    write(tmp_path / "self/status", "VmPeak: 700 kB\nVmHWM: 300 kB\nVmRSS: 200 kB\n")
    monkeypatch.setattr(room, "address_room", lambda: None)
    assert room.free() == 4200 * 1024  # what is left, and what this process has
    monkeypatch.setattr(room, "address_room", lambda: 900 * 1024)
    assert room.free() == 900 * 1024
    assert room.peak() == 300 * 1024


def test_a_limit_of_address_space_is_told_in_a_real_process() -> None:
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "import resource\nresource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))\n"
            "from llmrec.runs.estimate import room\nprint(room.address_room(), room.free())",
        ],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    room_left, free = map(int, told.stdout.split())
    assert 0 < free <= 2**31 and 0 < room_left <= 2**31


def test_the_peak_is_forgotten_and_found_again() -> None:
    block = bytearray(b"x" * (200 * MIB))
    assert room.peak() > 200 * MIB
    del block
    room.forget_peak()
    low = room.peak()
    block = bytearray(b"x" * (200 * MIB))
    assert room.peak() - low > 150 * MIB
    del block
