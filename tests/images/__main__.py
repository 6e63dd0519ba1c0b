"""``python -m tests.images [SERVICE...]``: build the images of compose.yaml, all or some, and say their sizes."""

import sys

from tests import compose
from tests.images import engine


def main() -> None:
    """Build one image after the other; exit code 1 with the reason where none can be built."""
    if reason := engine.missing():
        sys.exit(f"images: {reason}")
    services = sys.argv[1:] or list(compose.own_services())
    if not engine.has_docker():
        sys.stdout.write("no Docker here: buildah builds on stand-ins from Debian's packages\n")
        engine.build_stand_ins()
    base = None
    for service in services:
        name = engine.build(service)
        base = base or engine.size(engine.base())
        beyond = (engine.size(name) - base) / 1e6
        sys.stdout.write(f"{name:<45} {beyond:4.0f} MB and {base / 1e6:.0f} MB of its base\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
