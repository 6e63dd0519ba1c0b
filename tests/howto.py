"""Recipes of docs/howto, walked through: their diffs applied to a copy of the tree, and programs run in it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
RECIPES = ROOT / "docs" / "howto"
COPIED = ("services", "schemas", "tests", "docs/client", "pyproject.toml")
_BLOCK = re.compile(r"^```diff\n(.*?)^```$", re.M | re.S)


class Change(NamedTuple):
    """One place of one file: the lines that are there, and those that come instead; none there makes a file."""

    path: str
    before: str
    after: str


def changes(recipe: str) -> list[Change]:
    """Return the changes of a recipe, in order; ``@@`` separates the places of a file."""
    found = []
    for block in _BLOCK.findall(recipe):
        head, body = block.split("\n", 1)
        path = head.removeprefix("+++ ")
        assert path != head, f"expected +++ and a path, received {head}"
        for place in re.split(r"^@@.*\n", body, flags=re.M):
            lines = place.splitlines(keepends=True)
            assert all(line[0] in " +-\n" for line in lines), place
            before = "".join(line[1:] or "\n" for line in lines if line[0] != "+")
            after = "".join(line[1:] or "\n" for line in lines if line[0] != "-")
            found.append(Change(path, before, after))
    assert found, "expected at least one block that begins with ```diff"
    return found


def walked(name: str, root: Path) -> Path:
    """Copy the tree to `root`, change it as the recipe `name` says, and return it; where a recipe is stale it fails.

    A migration of a recipe has the number that follows the last one there is.
    """
    for part in COPIED:
        source, target = ROOT / part, root / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    last = max(file.name[:4] for file in (ROOT / "schemas" / "sql").glob("*.sql"))
    text = (RECIPES / f"{name}.md").read_text(encoding="utf-8")
    for change in changes(text.replace("NEXT", f"{int(last) + 1:04}")):
        path = root / change.path
        if change.before:
            content = path.read_text(encoding="utf-8")
            count = content.count(change.before)
            assert count == 1, (
                f"{name}.md: expected these lines once in {change.path}, found them {count} times:\n{change.before}"
            )
            path.write_text(content.replace(change.before, change.after), encoding="utf-8")
        else:
            assert not path.exists(), f"{name}.md: expected a new file, but {change.path} is there"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(change.after, encoding="utf-8")
    return root


def run(root: Path, *arguments: str, **variables: str) -> str:
    """Run Python in a changed tree and return what it wrote; it has to end well."""
    environment = {**os.environ, **variables, "PYTHONPATH": f"{root}{os.pathsep}{root / 'docs' / 'client'}"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=root, env=environment, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, f"{' '.join(arguments)}\n{done.stdout}{done.stderr}"
    return done.stdout
