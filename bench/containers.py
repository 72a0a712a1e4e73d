"""Builds the image of `deployments/` and runs it and compose.yaml with podman, without a registry of images.

    python bench/containers.py                    # as root; the base is made of Debian's packages by debootstrap
    python bench/containers.py --base IMAGE       # any Debian with Python and its venv
    python bench/containers.py --keep             # what was made stays for the next time

Says what `trace2skill doctor` finds in a container under each of podman's restrictions, runs the demo and one
command in the sandbox as the user of the image, then the services of compose.yaml as they stand there, two workers
among them, in one network: a refresh of the demo is started through the API, with a skill that it may replace.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
COMPOSE = ROOT / "deployments" / "compose.yaml"
IMAGE, BASE, DATABASE = "localhost/trace2skill", "localhost/trace2skill-debian", "localhost/trace2skill-postgres"
PREFIX = "trace2skill-bench"
UI_PASSWORD, DB_PASSWORD = "ui:secret", "p@ss/w:rd"  # with characters that mean something in an address
LIMITS = ["--ulimit", "nofile=10000:10000", "--ulimit", "nproc=30000:30000"]  # what a root without CAP_SYS_RESOURCE may
OPEN = ["--security-opt", "seccomp=unconfined", "--security-opt", "systempaths=unconfined"]
UNIFIED = Path("/sys/fs/cgroup/unified")
PACKAGES = "ca-certificates,python3-minimal,python3-venv,python3-pip"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
TRUSTING = ["PIP_CERT", "SSL_CERT_FILE"]
POSTGRES = f"""\
FROM {BASE}
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql
COPY start.sh /start.sh
ENTRYPOINT ["/start.sh"]
"""
START = """\
#!/bin/sh -e
export PATH=$(echo /usr/lib/postgresql/*/bin):$PATH PGDATA=/var/lib/postgresql/data
if [ "$(id -u)" = 0 ]; then
  mkdir -p $PGDATA && chown -R postgres /var/lib/postgresql /var/run/postgresql && chmod 700 $PGDATA
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi
printf %s "$POSTGRES_PASSWORD" > /tmp/password
initdb -U "$POSTGRES_USER" --pwfile=/tmp/password --auth-host=scram-sha-256 --auth-local=trust
pg_ctl -w start -o "-c listen_addresses=''"
createdb -U "$POSTGRES_USER" "$POSTGRES_DB"
for file in /docker-entrypoint-initdb.d/*.sql; do psql -qU "$POSTGRES_USER" -d "$POSTGRES_DB" -f "$file"; done
pg_ctl -w stop
exec "$@"
"""  # what the official image does with these variables
COMMAND = """
import tempfile
from pathlib import Path
from trace2skill.sandbox import choose_sandbox
box = choose_sandbox("auto", simulated_model=False)
command = "id -un; ls /opt/trace2skill; touch /usr/x; cut -d: -f1 /proc/net/dev"
print(box.name, box.run(command, Path(tempfile.mkdtemp())).output)
"""


def podman(*arguments: str, quiet: bool = False, check: bool = True) -> str:
    """One command of podman's; returns what it printed, both streams."""
    done = subprocess.run(["podman", *arguments], capture_output=True, text=True, check=False)
    said = (done.stdout + done.stderr).strip()
    if check and done.returncode:
        sys.exit(f"podman {' '.join(arguments)}\n{said}")
    if not quiet:
        print(said, flush=True)
    return said


def without_mixed_cgroups() -> None:
    """Begin again in a mount namespace where crun does not find controllers of both kinds of cgroups."""
    controllers = UNIFIED / "cgroup.controllers"
    if controllers.is_file() and controllers.read_text().strip():
        again = f'umount {UNIFIED} && exec "$@"'
        os.execvp("unshare", ["unshare", "--mount", "sh", "-c", again, "sh", sys.executable, *sys.argv])


def make_base(folder: Path) -> None:
    """An image of Debian's own packages. What the host trusts is trusted, or its proxies are not."""
    root = folder / "root"
    subprocess.run(
        ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(root)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    shutil.copy(CERTIFICATES, root / CERTIFICATES.relative_to("/"))
    tar = folder / "root.tar"
    subprocess.run(["tar", "-C", str(root), "-cf", str(tar), "."], check=True)
    changes = [word for name in TRUSTING for word in ("--change", f"ENV {name}={CERTIFICATES}")]
    podman("import", *changes, str(tar), BASE, quiet=True)


def build(folder: Path, base: str) -> None:
    """The image as its file says, and a database that takes the variables of the official one."""
    began = time.monotonic()
    how = ["build", "--isolation", "chroot"]  # which sets no limits that this root may not set
    podman(
        *how,
        "--build-arg",
        f"BASE={base}",
        "-f",
        str(ROOT / "deployments/Containerfile"),
        "-t",
        IMAGE,
        str(ROOT),
        quiet=True,
    )
    print(f"image built in {time.monotonic() - began:.0f} s", flush=True)
    (folder / "Containerfile").write_text(POSTGRES)
    (folder / "start.sh").write_text(START)
    (folder / "start.sh").chmod(0o755)
    podman(*how, "-t", DATABASE, str(folder), quiet=True)


def restricted() -> None:
    """What the doctor says of the sandbox under each of podman's restrictions."""
    for options in ([], OPEN[:2], OPEN[2:], OPEN, [*OPEN, "--user", "0"]):
        said = podman(
            "run", "--rm", *LIMITS, *options, IMAGE, "trace2skill", "doctor", "--json", quiet=True, check=False
        )
        found = re.search(r'"what": "sandbox",\s*"state": "(\w+)",\s*"detail": "(.*?)"\n', said)
        print(f"podman run {' '.join(options)}: {found[1]}: {found[2]}" if found else said, flush=True)


class Composed:
    """The services of compose.yaml in the network of one, the database, so that their names need no server of names."""

    def __init__(self, folder: Path) -> None:
        self.skills = folder / "skills"
        shutil.copytree(ROOT / "examples" / "skills", self.skills)
        for path in [self.skills, *self.skills.rglob("*")]:
            os.chown(path, 1000, 1000)
        known = {
            "TRACE2SKILL_DB_PASSWORD": DB_PASSWORD,
            "TRACE2SKILL_UI_PASSWORD": UI_PASSWORD,
            "TRACE2SKILL_SKILLS": str(self.skills),
        }
        text = re.sub(
            r"\$\{(\w+)(?::[-?]([^}]*))?\}", lambda found: known.get(found[1], found[2] or ""), COMPOSE.read_text()
        )
        self.services: dict[str, Any] = YAML(typ="safe").load(text)["services"]
        self.hosts = [word for name in self.services for word in ("--add-host", f"{name}:127.0.0.1")]
        self.client = httpx.Client(auth=("trace2skill", UI_PASSWORD), timeout=60)

    def network(self, service: str) -> list[str]:
        """The first one's, which knows all names and shows the server's port to this machine."""
        if service == "database":
            return [*self.hosts, "-p", "127.0.0.1::4200"]
        return ["--network", f"container:{PREFIX}-database"]

    def start(self, service: str, name: str = "") -> str:
        """Start a service as the file has it; returns the container's name once it is healthy."""
        wanted, name = self.services[service], f"{PREFIX}-{name or service}"
        words = [word for key, value in wanted["environment"].items() for word in ("--env", f"{key}={value}")]
        words += [word for option in wanted.get("security_opt", ()) for word in ("--security-opt", option)]
        for volume in wanted.get("volumes", ()):
            source, _, rest = volume.partition(":")
            place = str((COMPOSE.parent / source).resolve()) if source.startswith((".", "/")) else f"{PREFIX}-{source}"
            words += ["--volume", f"{place}:{rest}"]
        image = IMAGE if wanted["image"] == "trace2skill" else DATABASE
        podman(
            "run",
            "--detach",
            *self.network(service),
            "--name",
            name,
            *LIMITS,
            *words,
            image,
            *wanted.get("command", ()),
            quiet=True,
        )
        health = wanted.get("healthcheck", {}).get("test", ["CMD", "true"])[1:]
        for _ in range(60):
            if subprocess.run(["podman", "exec", name, *health], capture_output=True, check=False).returncode == 0:
                break
            time.sleep(2)
        else:
            sys.exit(f"{name} is not healthy\n{podman('logs', name, quiet=True)[-3000:]}")
        print(f"{name} is healthy", flush=True)
        return name

    def ask(self, path: str, body: Any = None) -> Any:
        """Ask the API from outside, with the password."""
        answer = self.client.request("GET" if body is None else "POST", f"{self.address}/api{path}", json=body)
        answer.raise_for_status()
        return answer.json()

    def up(self) -> None:
        """Database, server, deployments, two workers, as `docker compose up --scale worker=2` orders them."""
        self.start("database")
        self.start("server")
        self.address = f"http://{podman('port', f'{PREFIX}-database', '4200', quiet=True)}"
        refused = httpx.get(f"{self.address}/api/admin/version", timeout=60).status_code
        page = self.client.get(self.address).text
        print(f"without the password: {refused}; the UI: {page.count('<script')} scripts", flush=True)
        words = self.services["deploy"]
        keys = [word for key, value in words["environment"].items() for word in ("--env", f"{key}={value}")]
        podman("run", "--rm", *self.network("deploy"), *LIMITS, *keys, IMAGE, *words["command"])
        for name in ("worker", "worker2"):
            self.start("worker", name)

    def refresh(self) -> None:
        """A refresh of the demo's tasks, whose candidate takes the place of the skill that was mounted."""
        sim = {"name": "sim/office"}
        settings = {
            "data": {"path": "/data/office", "skill": "/skills/office-workbooks", "recalculate": "never"},
            "models": {"agent": sim, "analyst": sim, "merger": sim},
            "operation": {"promote": "auto", "shards": 2},
        }
        deployment = self.ask("/deployments/name/refresh/nightly-refresh")["id"]
        run = self.ask(f"/deployments/{deployment}/create_flow_run", {"parameters": {"settings": settings}})["id"]
        for _ in range(900):
            state = self.ask(f"/flow_runs/{run}")["state"]
            if state["type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED"):
                break
            time.sleep(2)
        print(f"refresh: {state['name']}: {state['message']}")
        podman("exec", f"{PREFIX}-worker", "trace2skill", "versions")


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="", help="an image to build on; made by debootstrap unless given")
    parser.add_argument("--keep", action="store_true", help="leave images for the next time")
    asked = parser.parse_args()
    missing = [name for name in ("podman", "debootstrap") if not shutil.which(name)]
    if missing or os.geteuid() != 0:
        sys.exit(f"wanted: root, and the Debian packages {', '.join(missing) or 'that are here'}")
    without_mixed_cgroups()
    with tempfile.TemporaryDirectory(prefix="t2s-containers-") as name:
        folder = Path(name)
        try:
            if not asked.base and subprocess.run(["podman", "image", "exists", BASE], check=False).returncode:
                make_base(folder)
            if asked.base:
                podman("tag", asked.base, BASE)
            build(folder, BASE)
            restricted()
            podman("run", "--rm", *LIMITS, *OPEN, IMAGE, "make", "demo")
            podman("run", "--rm", *LIMITS, *OPEN, IMAGE, "python", "-c", COMMAND)
            composed = Composed(folder)
            composed.up()
            composed.refresh()
        finally:
            for name in ("worker2", "worker", "server", "database"):
                podman("rm", "--force", "--ignore", f"{PREFIX}-{name}", quiet=True, check=False)
            for volume in ("database", "runs"):
                podman("volume", "rm", "--force", f"{PREFIX}-{volume}", quiet=True, check=False)
            if not asked.keep:
                podman("rmi", "--force", IMAGE, DATABASE, BASE, quiet=True, check=False)


if __name__ == "__main__":
    main()
