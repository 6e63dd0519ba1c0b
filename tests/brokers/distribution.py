"""Distribution of Apache Kafka from Maven, kept in the virtualenv: fetched once, removed by `make clean`."""

import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

_POM = Path(__file__).with_name("pom.xml")
_HOME = Path(sys.prefix, "kafka")
JARS = _HOME / "jars"
# The pom that the jars were fetched by lies beside them: another one is another distribution.
_FETCHED_BY = _HOME / "pom.xml"
FORMATTED = _HOME / "formatted"
"""A broker's storage as Kafka's own tool formats it, which takes a JVM a second."""
CLASSES = _HOME / "classes.jsa"
"""Kafka's classes as the JVM has them in memory: with them a broker starts in half the time."""
_JAVA = 17
_FETCH_S = 300


@cache
def missing() -> str | None:
    """Return why no Kafka can run here, None if one can."""
    if reason := _missing_java():
        return reason
    if not _is_fetched():
        return "Kafka's jars are not here: `make kafka` fetches them, with Maven"
    return None


def fetch() -> str | None:
    """Copy the jars if they are not here, and return why that cannot be done, None if it is."""
    if reason := _missing_java():
        return reason
    if _is_fetched():
        return None
    if shutil.which("mvn") is None:
        return "expected Maven (mvn), which fetches Kafka; there is none"
    shutil.rmtree(_HOME, ignore_errors=True)
    command = ["mvn", "--quiet", "--batch-mode", "--strict-checksums", f"--file={_POM}"]
    command += ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={JARS}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_FETCH_S)
    except subprocess.TimeoutExpired:
        return f"Maven did not fetch Kafka within {_FETCH_S} s"
    if done.returncode != 0:
        errors = [line for line in done.stdout.splitlines() if "ERROR" in line] or ["without a word"]
        return f"Maven could not fetch Kafka: {errors[0]}"
    if reason := _format():
        return reason
    shutil.copyfile(_POM, _FETCHED_BY)
    return None


def java(main: str, *arguments: object, options: tuple[str, ...] = ()) -> list[str]:
    """Return the command that runs a class of Kafka in a JVM that is small and soon there."""
    # In an order that never changes: the archive of classes belongs to one class path.
    classpath = ":".join(map(str, sorted(JARS.iterdir())))
    small = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"]
    quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
    return ["java", *small, quiet, *options, "-cp", classpath, main, *map(str, arguments)]


def _format() -> str | None:
    storage, properties = _HOME / "storage", _HOME / "format.properties"
    properties.write_text(
        "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@127.0.0.1:1\n"
        "listeners=PLAINTEXT://127.0.0.1:2,CONTROLLER://127.0.0.1:1\ncontroller.listener.names=CONTROLLER\n"
        f"log.dirs={storage}\n"
    )
    arguments = ["format", "--cluster-id", "AAAAAAAAAAAAAAAAAAAAAA", "--config", properties]
    done = subprocess.run(java("kafka.tools.StorageTool", *arguments), capture_output=True, text=True)
    if done.returncode != 0:
        return f"Java could not run Kafka: {(done.stderr or done.stdout).strip().splitlines()[-1:]}"
    # The rest is ids.
    FORMATTED.mkdir()
    shutil.copy(storage / "bootstrap.checkpoint", FORMATTED)
    shutil.rmtree(storage)
    return None


def _is_fetched() -> bool:
    return _FETCHED_BY.exists() and _FETCHED_BY.read_bytes() == _POM.read_bytes()


def _missing_java() -> str | None:
    if shutil.which("java") is None:
        return f"expected Java {_JAVA} or later, which runs Kafka; there is none"
    said = subprocess.run(["java", "-version"], capture_output=True, text=True).stderr
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) < _JAVA:
        return f"expected Java {_JAVA} or later, which runs Kafka; received {said.splitlines()[:1]}"
    return None
