"""compose.yaml: by the schema of compose files, hardened throughout, and one with the settings of the code."""

import argparse
import hashlib
import re
import shlex
import shutil
import subprocess
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from compose_spec.models import ComposeSpecification, Network, Secret, Service
from pydantic import BaseModel

from services.api.security import api_keys
from services.cli.__main__ import COMMANDS
from services.cli.settings_reference import SERVICES
from services.common import health_check
from services.common.settings import PREFIX
from tests import compose

SPECIFICATION = compose.document()
OWN = compose.own_services()
OTHERS = {name: service for name, service in SPECIFICATION["services"].items() if name not in OWN}
ALL = OWN | OTHERS
FIELDS = {f"{PREFIX}{name.upper()}" for kind in SERVICES.values() for name in kind.model_fields}
EXAMPLE = (compose.ROOT / ".env.example").read_text(encoding="utf-8")
NGINX = (compose.ROOT / "ops/compose/nginx.conf").read_text(encoding="utf-8")


def unknown(document: dict[str, Any]) -> list[str]:
    """Return the keys that the schema of compose files does not know, which its models pass over."""
    parts: list[tuple[str, type[BaseModel], dict[str, Any]]] = [("", ComposeSpecification, document)]
    kinds: tuple[tuple[str, type[BaseModel]], ...] = (
        ("services", Service),
        ("networks", Network),
        ("secrets", Secret),
    )
    for part, kind in kinds:
        parts += [(f"{part}.{name}.", kind, one) for name, one in document[part].items()]
    return [
        f"{path}{key}"
        for path, kind, keys in parts
        for key in keys
        if not key.startswith("x-")
        and key not in {field.alias or name for name, field in kind.model_fields.items()}
    ]


def test_it_is_by_the_schema_of_compose_files() -> None:
    ComposeSpecification.model_validate(SPECIFICATION)
    assert unknown(SPECIFICATION) == []


def test_a_key_that_compose_does_not_know_is_found() -> None:
    wrong = compose.document()
    wrong["services"]["api"]["mem_limt"] = "1g"
    assert unknown(wrong) == ["services.api.mem_limt"]


def test_it_runs_every_service() -> None:
    assert OWN.keys() == {*SERVICES, "setup"}
    assert {name: service["build"]["args"]["SERVICE"] for name, service in OWN.items()} == {
        name: name for name in OWN
    }


@pytest.mark.parametrize("name", ALL)
def test_a_service_can_do_no_harm(name: str) -> None:
    service = ALL[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["cpus"]
    assert service["pids_limit"]
    assert service["restart"] in ("unless-stopped", "on-failure")
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert "privileged" not in service
    assert service.get("network_mode") is None


@pytest.mark.parametrize("name", OWN)
def test_a_service_of_ours_writes_nothing_but_temporary_files_and_says_how_it_is(name: str) -> None:
    assert OWN[name]["read_only"]
    assert all(mount.startswith("/tmp:size=") for mount in OWN[name]["tmpfs"])  # noqa: S108
    asks = OWN[name].get("healthcheck")
    assert asks == ({"disable": True} if name == "setup" else None), "its image asks"
    assert "user" not in OWN[name], "its image has one"


@pytest.mark.parametrize("name", ALL)
def test_an_image_is_of_one_version(name: str) -> None:
    tag = ALL[name]["image"].rpartition(":")[2]
    assert re.search(r"\d+\.\d+\.\d+", tag), f"expected the full version in {ALL[name]['image']}"


def test_only_the_proxy_and_the_console_have_ports_and_they_are_of_this_machine() -> None:
    published = {name: service["ports"] for name, service in ALL.items() if "ports" in service}
    assert published.keys() == {"proxy", "console"}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


def test_no_way_leads_from_outside_to_broker_and_database() -> None:
    networks = SPECIFICATION["networks"]
    assert networks["data"]["internal"]
    assert networks["web"]["internal"]
    of = {name: set(service["networks"]) for name, service in ALL.items()}
    assert {name for name in of if "outside" in of[name]} == {"ingest", "delivery", "proxy", "console"}
    assert "data" not in of["proxy"] | of["ui"]


def given(service: str) -> set[str]:
    """Return the settings that a service is given, here or in a file."""
    names = (
        name.removesuffix("_FILE") if name not in FIELDS else name for name in OWN[service]["environment"]
    )
    return {name for name in names if name.startswith(PREFIX)}


@pytest.mark.parametrize("name", OWN)
def test_a_variable_is_a_setting(name: str) -> None:
    assert given(name) <= FIELDS


def test_the_page_gets_what_it_reads_alone() -> None:
    assert given("ui") <= {f"{PREFIX}{name.upper()}" for name in SERVICES["ui"].model_fields}
    assert OWN["ui"]["secrets"] == ["page_key", "identity_key"]


def test_a_secret_is_read_by_who_names_it() -> None:
    for name, service in ALL.items():
        used = {
            str(value).removeprefix("/run/secrets/")
            for value in service.get("environment", {}).values()
            if str(value).startswith("/run/secrets/")
        }
        if name == "proxy":
            used = set(re.findall(r"/run/secrets/(\w+)", NGINX))
        assert set(service.get("secrets", [])) <= used, name


def test_the_example_has_every_variable_with_its_default() -> None:
    shown = dict(re.findall(r"^#?([A-Z_0-9]+)=(.*)$", EXAMPLE, re.M))
    assert shown.keys() == compose.variables().keys() | {"COMPOSE_PROFILES"}
    for name, default in compose.variables().items():
        if default is None:
            assert f"\n{name}=" in EXAMPLE, f"{name} must be set"
    assert {name for name, default in compose.variables().items() if default is None} == {"SECRETS_DIRECTORY"}


@pytest.mark.parametrize(
    "name", ["PAIRSTREAM_SYMBOLS", "PAIRSTREAM_PAIRS", "PAIRSTREAM_FEED", "PAIRSTREAM_PARTITIONS"]
)
def test_a_default_is_that_of_the_code(name: str) -> None:
    kind = next(kind for kind in SERVICES.values() if name.removeprefix(PREFIX).lower() in kind.model_fields)
    default = kind.model_fields[name.removeprefix(PREFIX).lower()].default
    assert compose.variables()[name] == str(default)


def test_the_ports_are_those_of_the_services() -> None:
    listening = {f"{name}:{SERVICES[name].model_fields[f'{name}_port'].default}" for name in ("api", "ui")}
    assert {
        f"{name}:{port}" for name, port in re.findall(r"proxy_pass http://\$(\w+):(\d+);", NGINX)
    } == listening
    targets = {port.rpartition(":")[2] for port in OTHERS["proxy"]["ports"]}
    assert (
        targets == set(re.findall(r"listen (\d+);", NGINX)) == {one.rpartition(":")[2] for one in listening}
    )
    image = (compose.ROOT / "Dockerfile").read_text(encoding="utf-8")
    asked = health_check.METRICS[1]
    assert f"PAIRSTREAM_METRICS_PORT={asked}" in image
    assert {OWN[name]["environment"]["PAIRSTREAM_METRICS_PORT"] for name in ("ingest", "sink")} == {asked}


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is missing (apt-get install nginx-light)")
def test_nginx_takes_its_configuration(tmp_path: Path) -> None:
    resolver = (compose.ROOT / "ops/compose/resolver.template").read_text(encoding="utf-8")
    (tmp_path / "resolver").write_text(resolver.replace("${NGINX_LOCAL_RESOLVERS}", "127.0.0.11"))
    servers = NGINX.replace("/tmp/resolver", str(tmp_path / "resolver"))  # noqa: S108
    (tmp_path / "nginx.conf").write_text(f"pid {tmp_path}/pid; events {{}} http {{ {servers} }}")
    command = ["nginx", "-t", "-q", "-p", str(tmp_path), "-c", "nginx.conf", "-e", "stderr"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_server_of_nginx_passes_on_the_same_headers() -> None:
    """A header that is set in a block takes the place of all that are set around it."""
    assert re.findall(r"^\s+proxy_set_header.*$", NGINX, re.M) == []


def test_three_brokers_have_all_that_one_has() -> None:
    def of(number: int) -> str:
        command: str = ALL[f"redpanda-{number}"]["command"]
        return command.replace(f"redpanda-{number}:", "HOST:").replace(f"--node-id {number}", "--node-id N")

    assert of(1) == of(2)
    assert of(1).replace("--seeds redpanda-0:33145 ", "") == of(0)


def commands(text: str) -> list[str]:
    """Return the commands of ours in a text: lines that begin with `pairstream`."""
    return re.findall(r"^ *(?:[A-Z_]+=\S+ )*pairstream ([^\n#]*)", text, re.M)


def parsed(command: str) -> argparse.Namespace:
    name, *arguments = shlex.split(command)
    parser = argparse.ArgumentParser(exit_on_error=False)
    import_module(COMMANDS[name][0]).add(parser)
    return parser.parse_args(arguments)


def test_the_setup_runs_commands_that_there_are() -> None:
    steps = commands(OWN["setup"]["command"][-1])
    assert [step.split()[:2] for step in steps] == [
        ["db", "upgrade"],
        ["topics", "create"],
        ["topics", "register"],
    ]
    for step in steps:
        parsed(step)


PAGES = [compose.ROOT / "README.md", compose.ROOT / "docs/operations.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_docs_name_commands_that_there_are(page: Path) -> None:
    found = commands(
        "\n".join(line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("    "))
    )
    assert found
    for command in found:
        if "..." not in command:
            parsed(command)


def sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def secrets(directory: Path) -> subprocess.CompletedProcess[str]:
    script = compose.ROOT / "ops/compose/secrets.sh"
    return subprocess.run(["sh", script], cwd=directory, check=True, capture_output=True, text=True)


def test_secrets_are_made_once_and_the_services_can_read_them(tmp_path: Path) -> None:
    (tmp_path / ".env.example").write_text(EXAMPLE)
    said = secrets(tmp_path).stdout
    made = {file.name: file.read_text() for file in (tmp_path / "secrets").iterdir()}
    assert made.keys() == SPECIFICATION["secrets"].keys()
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "secrets").iterdir()} == {0o644}
    assert (tmp_path / ".env").read_text() == EXAMPLE
    (key,) = api_keys.parse(made["api_keys"])
    assert (key.name, key.role) == ("page", "read")
    assert len(made["identity_key"]) == 64
    assert sha256(made["page_key"]) == key.digest
    assert (
        made["database_url"]
        == f"postgresql://pairstream:{made['database_password']}@timescale:5432/pairstream"
    )
    password = said.split()[-1]
    salt = made["page_login"].split("$")[2]
    hashed = subprocess.run(
        ["openssl", "passwd", "-apr1", "-salt", salt, password], check=True, capture_output=True, text=True
    )
    assert made["page_login"] == f"desk:{hashed.stdout}"

    assert secrets(tmp_path).stdout == ""
    assert {file.name: file.read_text() for file in (tmp_path / "secrets").iterdir()} == made


def test_a_new_key_of_the_page_leaves_the_others(tmp_path: Path) -> None:
    (tmp_path / ".env").touch()
    secrets(tmp_path)
    keys = tmp_path / "secrets/api_keys"
    _, other = api_keys.new("notebook", "read")
    keys.write_text(f"{keys.read_text()}{other}\n")
    (tmp_path / "secrets/page_key").unlink()
    secrets(tmp_path)
    found: Any = {key.name: key.digest for key in api_keys.read(keys)}
    assert found == {
        "notebook": other.digest,
        "page": sha256((tmp_path / "secrets/page_key").read_text()),
    }
