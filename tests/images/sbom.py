"""``python -m tests.images.sbom [SERVICE...]``: what each image is made of, as CycloneDX, in ``dist/sbom``.

From the lock in the same way as the image: what the Dockerfile installs for a service, without what it then leaves out.
"""

import sys
import tempfile
from pathlib import Path

from tests import compose
from tests.images.engine import run

DIRECTORY = compose.ROOT / "dist/sbom"


def main() -> None:
    """Write the file of each service, and say which."""
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    for service in sys.argv[1:] or compose.own_services():
        sys.stdout.write(f"{write(service).relative_to(compose.ROOT)}\n")


def write(service: str) -> Path:
    """Install what a service needs into an environment of its own, describe that, and return the file."""
    tools = Path(sys.prefix)
    target = DIRECTORY / f"pairstream-{service}.cdx.json"
    project, lock = compose.ROOT / "pyproject.toml", compose.ROOT / "requirements.lock"
    with tempfile.TemporaryDirectory(prefix="pairstream-sbom-") as directory:
        python = Path(directory, "bin/python")
        run(tools / "bin/uv", "venv", "--quiet", f"--python={tools / 'bin/python'}", directory)
        install = [
            "pip",
            "install",
            "--quiet",
            f"--python={python}",
            "--require-hashes",
            f"--constraint={lock}",
        ]
        run(tools / "bin/uv", *install, f"--requirement={project}", f"--extra={service}")
        describe = [
            "environment",
            f"--pyproject={project}",
            "--mc-type=application",
            f"--output-file={target}",
        ]
        run(tools / "tools/bin/cyclonedx-py", *describe, python)
    return target


if __name__ == "__main__":
    main()
