"""The file for containers: what can be known of it without an engine. `bench/containers.py` runs it."""

import re
import subprocess
from typing import Any, get_args

import pytest
from conftest import ROOT
from prefect.settings.models.root import Settings
from pydantic import AliasChoices
from pydantic_settings import BaseSettings
from ruamel.yaml import YAML

TEXT = (ROOT / "deployments" / "compose.yaml").read_text(encoding="utf-8")
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?P<rest>[^}]*)\}")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return dict(YAML(typ="safe").load(TEXT)["services"])


def known(settings: type[BaseSettings]) -> set[str]:
    """The variables that Prefect reads."""
    found: set[str] = set()
    for name, field in settings.model_fields.items():
        alias = field.validation_alias
        found |= {str(one) for one in alias.choices} if isinstance(alias, AliasChoices) else set()
        found.add(f"{settings.model_config.get('env_prefix', '')}{name}".upper())
        for inner in (field.annotation, *get_args(field.annotation)):
            if isinstance(inner, type) and issubclass(inner, BaseSettings):
                found |= known(inner)
    return found


def test_every_setting_is_one_that_the_locked_prefect_knows(services: dict[str, Any]) -> None:
    named = {name for service in services.values() for name in service.get("environment", {})}
    assert {name for name in named if name.startswith("PREFECT_")} - known(Settings) == set()


def test_nobody_from_elsewhere_gets_in_unasked(services: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published == {"server": ["${TRACE2SKILL_LISTEN:-127.0.0.1}:4200:4200"]}
    wanted = services["server"]["environment"]["PREFECT_SERVER_API_AUTH_STRING"]
    for client in ("deploy", "worker"):
        sent = services[client]["environment"]["PREFECT_API_AUTH_STRING"]
        assert VARIABLE.sub(r"\g<name>", sent) == VARIABLE.sub(r"\g<name>", wanted)
    assert "0.0.0.0" not in services["server"]["environment"]["PREFECT_SERVER_UI_API_URL"]


def test_a_secret_is_asked_for_and_never_written_down(services: dict[str, Any]) -> None:
    asked = {found["name"] for found in VARIABLE.finditer(TEXT) if found["rest"].startswith(":?")}
    given = {found["name"] for found in VARIABLE.finditer(TEXT) if not found["rest"]}
    assert given <= asked, "a variable without a default is one that compose asks for"
    for service in services.values():
        for name, value in service.get("environment", {}).items():
            if "PASSWORD" in name or "AUTH" in name:
                assert VARIABLE.search(str(value)), f"{name} stands in the file"
    ignored = subprocess.run(["git", "check-ignore", "-q", "deployments/keys.env"], cwd=ROOT, check=False)
    assert ignored.returncode == 0
    assert "deployments/keys.env" in (ROOT / ".dockerignore").read_text(encoding="utf-8").split()


def test_what_lives_on_comes_back_and_what_it_is_made_of_is_there(services: dict[str, Any]) -> None:
    assert all(services[name]["restart"] == "unless-stopped" for name in ("database", "server", "worker"))
    containerfile = (ROOT / "deployments" / "Containerfile").read_text(encoding="utf-8")
    copied = {word for line in containerfile.splitlines() if line.startswith("COPY ") for word in line.split()[1:-1]}
    assert all((ROOT / path).exists() for path in copied)
    assert re.search(r"^USER (?!root|0)\w+$", containerfile, re.MULTILINE)
    mounted = {volume.split(":")[-2 if volume.endswith(":ro") else -1] for volume in services["worker"]["volumes"]}
    assert {"/data", "/skills"} <= mounted


def test_a_worker_allows_the_sandbox_what_it_needs_and_the_server_can_write_its_ui(services: dict[str, Any]) -> None:
    allowed = {f"{what}=unconfined" for what in ("seccomp", "apparmor", "systempaths")}
    assert allowed == set(services["worker"]["security_opt"])
    assert not any("security_opt" in services[name] for name in ("database", "server", "deploy"))
    assert services["server"]["environment"]["PREFECT_SERVER_UI_STATIC_DIRECTORY"].startswith("/home/trace2skill/")
