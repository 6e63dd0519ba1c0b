"""Container tools: Docker where it runs, else Debian's buildah and podman, on images that stand in for public ones.

Of the latter nothing is kept outside `DIRECTORY`, but bridges while containers run.
"""

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from services.common.heartbeat import VERSION
from tests import compose
from tests.brokers import distribution

DIRECTORY = Path(os.environ.get("PAIRSTREAM_TEST_IMAGES") or Path(sys.prefix, "images"))
PACKAGES = ("buildah", "podman", "runc", "netavark", "aardvark-dns", "iptables", "mmdebstrap")
SOURCE = Path(__file__).parent
# The stage of Dockerfile here, and the service of compose.yaml or the argument of ours that names the image.
STAND_INS = {"timescale": "timescale", "redpanda": "redpanda-0", "nginx": "proxy"}
_BASE_PACKAGES = "python3,python3-venv,ca-certificates"
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


@cache
def has_docker() -> bool:
    """Tell whether Docker is here and its server answers."""
    return shutil.which("docker") is not None and run("docker", "info", check=False).returncode == 0


def missing() -> str | None:
    """Return why no image can be built here, None if one can."""
    if has_docker():
        return None
    if os.getuid() != 0:
        return "expected Docker, or to be root, as podman's networks want"
    tools = [
        name for name in ("buildah", "podman", "runc", "iptables", "mmdebstrap") if shutil.which(name) is None
    ]
    if tools or not Path("/usr/lib/podman/netavark").exists():
        return f"expected Docker, or Debian's tools: apt-get install --no-install-recommends {' '.join(PACKAGES)}"
    return distribution.missing()


def run(
    *command: object, check: bool = True, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command and return what it wrote; of one that fails the end of it is in the error."""
    # podman leaves a file `oom` where it was called when a container was killed for its memory.
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, env=env, cwd=DIRECTORY)
    if check and done.returncode != 0:
        raise RuntimeError(
            f"{command} ended with {done.returncode}:\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
        )
    return done


@cache
def environment() -> dict[str, str]:
    """Write the configuration of podman and buildah, and return the variables that name it."""
    directory = DIRECTORY / "configuration"
    (directory / "bin").mkdir(parents=True, exist_ok=True)
    files = {
        "storage.conf": f'[storage]\ndriver = "overlay"\ngraphroot = "{DIRECTORY}/storage"\n'
        f'runroot = "{DIRECTORY}/run"\n',
        "registries.conf": "unqualified-search-registries = []\n",
        # Of a container that is told no limits podman wants those of root, which are beyond this machine's.
        "containers.conf": '[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n'
        f'network_config_dir = "{DIRECTORY}/networks"\n[network]\nnetwork_backend = "netavark"\n'
        f'network_config_dir = "{DIRECTORY}/networks"\n'
        '[containers]\ndefault_ulimits = ["nofile=16384:16384", "nproc=4096:4096"]\n',
        "policy.json": json.dumps({"default": [{"type": "insecureAcceptAnything"}]}),
    }
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8")
    podman = directory / "bin/podman"
    shutil.copy(SOURCE / "podman.sh", podman)
    podman.chmod(0o755)
    return {
        **os.environ,
        "CONTAINERS_CONF": str(directory / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(directory / "storage.conf"),
        "CONTAINERS_REGISTRIES_CONF": str(directory / "registries.conf"),
        "BUILDAH_ISOLATION": "chroot",
        "PODMAN": shutil.which("podman") or "podman",
        "PATH": f"{podman.parent}:{Path(sys.prefix, 'tools/bin')}:{os.environ['PATH']}",
    }


def build(service: str) -> str:
    """Build the image of a service and return its name."""
    name = f"pairstream-{service}:{VERSION}"
    revision = run("git", "-C", compose.ROOT, "rev-parse", "HEAD", check=False).stdout.strip() or "unknown"
    arguments = [
        f"--build-arg=SERVICE={service}",
        f"--build-arg=VERSION={VERSION}",
        f"--build-arg=REVISION={revision}",
    ]
    if has_docker():
        run("docker", "build", *arguments, f"--tag={name}", compose.ROOT)
        return name
    return _buildah(f"localhost/{name}", compose.ROOT, *arguments)


def build_stand_ins() -> None:
    """Build the base and the servers under the names of those that cannot be pulled; what is unchanged stays."""
    context = DIRECTORY / "context"
    context.mkdir(parents=True, exist_ok=True)
    if not (context / "base.tar").exists():
        made = context / "base.tar.new"
        run(
            "mmdebstrap",
            "--mode=root",
            "--variant=minbase",
            "--format=tar",
            f"--include={_BASE_PACKAGES}",
            "bookworm",
            made,
        )
        made.rename(context / "base.tar")
    shutil.copy(_CERTIFICATES, context)
    shutil.copytree(distribution.JARS, context / "jars", dirs_exist_ok=True)
    for file in SOURCE.iterdir():
        if file.is_file():
            shutil.copy(file, context)
    _buildah(base(), context, "--target=base")
    for stage, service in STAND_INS.items():
        _buildah(compose.document()["services"][service]["image"], context, f"--target={stage}")


def base() -> str:
    """Return the name of the image that those of ours are built on."""
    line = next(
        line
        for line in (compose.ROOT / "Dockerfile").read_text().splitlines()
        if line.startswith("ARG BASE=")
    )
    return line.removeprefix("ARG BASE=")


def size(image: str) -> int:
    """Return the size of an image, bytes."""
    if has_docker():
        return int(run("docker", "image", "inspect", "--format={{.Size}}", image).stdout)
    return int(run("podman", "image", "inspect", "--format={{.Size}}", image, env=environment()).stdout)


def _buildah(name: str, context: Path, *arguments: str) -> str:
    policy = f"--signature-policy={DIRECTORY}/configuration/policy.json"
    command = ["buildah", "build", "--pull-never", "--layers", "--format=docker", policy]
    run("nice", *command, *arguments, f"--tag={name}", context, env=environment())
    return name
