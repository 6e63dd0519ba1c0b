"""Dockerfiles: without a finding of hadolint, and what the images are built from is named once."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.compose import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", ["Dockerfile", "tests/images/Dockerfile"])
def test_hadolint_finds_nothing(path: str) -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, ROOT / path], capture_output=True, text=True)
    assert done.stdout + done.stderr == ""


def test_the_base_is_one_full_version() -> None:
    assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.M) == ["${BASE}", "${BASE}"]
    assert re.search(r"^ARG BASE=docker\.io/library/python:3\.11\.\d+-slim-\w+$", DOCKERFILE, re.M)


def test_what_is_sent_to_a_build_is_what_it_copies() -> None:
    copied = {
        name for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.M) for name in line.split()[:-1]
    }
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {line.removeprefix("!") for line in ignored if line.startswith("!")} == copied
    assert "*" in ignored
