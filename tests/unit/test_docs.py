"""Documentation: every path and link that it names exists, and the index of decision records is complete."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import services

ROOT = Path(services.__file__).parents[1]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), *(ROOT / "benchmarks").glob("*.md")])
# The history and the decision records also name files of the past, and files that were decided against.
CURRENT = [page for page in PAGES if page.name != "CHANGELOG.md" and page.parent.name != "adr"]
RECORDS = sorted((ROOT / "docs/adr").glob("[0-9]*.md"))[1:]
FOLDERS = ("services", "tests", "docs", "schemas", "benchmarks", "ops")
FILES = {
    file.relative_to(ROOT).as_posix()
    for folder in FOLDERS
    for file in (ROOT / folder).rglob("*")
    if "__pycache__" not in file.parts
} | {file.name for file in ROOT.iterdir()}


def named(text: str) -> Iterator[str]:
    """Yield the names of source files and the folders that a page has between backticks."""
    for file, folder in re.findall(r"`([\w./-]+\.(?:py|js|css|toml|sql))`|`([\w-]+/(?:[\w-]+/)*)`", text):
        yield (file or folder).rstrip("/")


def is_there(path: str) -> bool:
    return any(file == path or file.endswith(f"/{path}") for file in FILES)


def named_by(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", CURRENT, ids=named_by)
def test_a_page_names_only_files_that_exist(page: Path) -> None:
    assert [path for path in named(page.read_text(encoding="utf-8")) if not is_there(path)] == []


@pytest.mark.parametrize("page", PAGES, ids=named_by)
def test_a_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem)
def test_the_index_has_each_decision_record_by_its_title(record: Path) -> None:
    index = (ROOT / "docs/adr/README.md").read_text(encoding="utf-8")
    title = record.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
    assert f"]({record.name}) | {title} |" in index, f"docs/adr/README.md has no line for {record.name}"
