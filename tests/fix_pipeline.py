"""Data directories of pipelines under test."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def data_directory() -> Iterator[Path]:
    """Make a directory that PostgreSQL's own user can reach, as pytest's private ones cannot be for root."""
    path = Path(tempfile.mkdtemp(prefix="pairstream-test-"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with data_directory() as path:
        yield path
