"""Skills on real git servers: over https with a certificate of the house and a password, and over ssh."""

import getpass
import os
from pathlib import Path

import product
import pytest
from git_servers import PASSWORD, USER, HttpsServer, SshServer, https, sshd
from remotes import SKILL, SUMS, Remote

from trace2skill.store import open_store
from trace2skill.versions.registry import Registry, Version

__all__ = ["https", "sshd"]
BETTER = SKILL.with_files({"SKILL.md": SUMS + b"- Say the sum alone.\n"})


class Worker:
    """A machine with a home, a directory and a store, in which the version to be promoted is known."""

    def __init__(self, folder: Path, prefect_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home, self._prefect = folder / "home", prefect_home
        self.home.mkdir()
        self.remote = Remote(folder)
        for name in [name for name in os.environ if name.startswith(("GIT_", "SSH_"))]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("HOME", str(self.home))
        monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        self._asked = folder / "asked"  # by a program that would open a window
        program = folder / "askpass"
        program.write_text(f"#!/bin/sh\ntouch {self._asked}\n")
        program.chmod(0o755)
        monkeypatch.setenv("SSH_ASKPASS", str(program))
        monkeypatch.setenv("DISPLAY", ":0")
        self.store = self.home / ".trace2skill" / "store.duckdb"
        store = open_store(self.store)
        known = Version(name="sums", skill=BETTER.digest, parent=SKILL.digest, run_id="run-1", state="candidate")
        Registry(store).record(BETTER, known)
        store.close()

    def git_config(self, *lines: str) -> None:
        """What the user has told git."""
        (self.home / ".gitconfig").write_text("\n".join([*lines, ""]))

    def __call__(self, *command: object, code: int = 0) -> str:
        """What a command says, in one line. Nobody is asked for anything, and no password stands anywhere."""
        done = product.run(self.home, self._prefect, *command, code=code)
        said = " ".join((done.stdout + done.stderr).split())
        assert not self._asked.exists()
        assert PASSWORD not in said
        kept = [path for path in (self.home / ".trace2skill").rglob("*") if path.is_file()]
        assert not [path for path in kept if PASSWORD.encode() in path.read_bytes()]
        return said

    def promote(self, address: str, code: int = 0) -> str:
        """Promote the version by a person's word."""
        return self("promote", BETTER.digest[:12], address, "--why", "read it", code=code)

    def subjects(self) -> list[str]:
        """The first lines of the branch's messages, the newest first."""
        return self.remote.git("log", "--format=%s", "main").splitlines()


@pytest.fixture
def worker(tmp_path: Path, prefect_home: Path, monkeypatch: pytest.MonkeyPatch) -> Worker:
    return Worker(tmp_path, prefect_home, monkeypatch)


def over_https(server: HttpsServer, who: str = "") -> str:
    return f"git+https://{who}localhost:{server.port}/remote.git@main#skills/sums"


def trusting(server: HttpsServer) -> tuple[str, ...]:
    return "[http]", f"sslCAInfo = {server.authority}"


def netrc(worker: Worker, password: str) -> None:
    (worker.home / ".netrc").write_text(f"machine localhost login {USER} password {password}\n")


def helper(worker: Worker, password: str) -> tuple[str, ...]:
    program = worker.home / "helper"
    program.write_text(f"#!/bin/sh\ntest $1 = get && echo username={USER} && echo password={password}\n")
    program.chmod(0o755)
    return "[credential]", f"helper = {program}"


@pytest.mark.parametrize("how", ["netrc", "helper", "address"])
def test_a_skill_is_read_and_promoted_over_https_with_what_git_knows(
    worker: Worker, https: HttpsServer, how: str
) -> None:
    address = over_https(https, f"{USER}:{PASSWORD}@" if how == "address" else "")
    worker.git_config(*trusting(https), *(helper(worker, PASSWORD) if how == "helper" else ()))
    if how == "netrc":
        netrc(worker, PASSWORD)
    assert "sums: valid, 1 files" in worker("validate", address)
    assert f"{over_https(https)} holds sums 1 " in worker.promote(address)
    assert worker.subjects() == ["sums 1: promoted", "by a person"]
    assert "again" in worker("rollback", address)
    assert worker.subjects()[0] == "sums 2: back in use"


@pytest.mark.parametrize("how", ["nothing", "netrc", "helper", "address"])
def test_a_wrong_password_is_one_message_with_the_remedy(worker: Worker, https: HttpsServer, how: str) -> None:
    worker.git_config(*trusting(https), *(helper(worker, "wrong") if how == "helper" else ()))
    if how == "netrc":
        netrc(worker, "wrong")
    said = worker("validate", over_https(https, f"{USER}:wrong@" if how == "address" else ""), code=2)
    assert said.startswith(f"error: {over_https(https)}: git says: ")
    assert said.endswith("give git a key here: a credential helper, ~/.netrc or an ssh key")
    assert "wrong" not in said


def test_a_certificate_that_nobody_vouches_for_is_refused_with_the_remedy(worker: Worker, https: HttpsServer) -> None:
    netrc(worker, PASSWORD)
    said = worker("validate", over_https(https), code=2)
    assert said.endswith("name the authority of its certificate here: git config --global http.sslCAInfo FILE")


def test_a_push_that_the_server_refuses_leaves_all_as_it_was(worker: Worker, https: HttpsServer) -> None:
    worker.git_config(*trusting(https))
    netrc(worker, PASSWORD)
    hook = worker.remote.bare / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'the branch is protected' >&2\nexit 1\n")
    hook.chmod(0o755)
    said = worker.promote(over_https(https), code=2)
    assert "branch 'main' cannot be pushed to: git says: " in said
    assert "the branch is protected" in said
    assert worker.subjects() == ["by a person"]
    hook.unlink()
    assert "holds" in worker.promote(over_https(https))  # what was decided is done now, once
    assert worker.subjects() == ["sums 1: promoted", "by a person"]


@pytest.mark.parametrize("at", ["info/refs", "git-upload-pack", "git-receive-pack"])
def test_a_server_that_is_gone_midway_is_one_message_and_the_next_time_goes_on(
    worker: Worker, https: HttpsServer, at: str
) -> None:
    worker.git_config(*trusting(https))
    netrc(worker, PASSWORD)
    https.goes_away_at = f"/{at}"
    said = worker.promote(over_https(https), code=2)
    assert said.startswith(f"error: {over_https(https)}: ")
    assert said.endswith("run the same command again once the server answers")
    https.goes_away_at = ""
    worker.promote(over_https(https))
    assert worker.subjects() == ["sums 1: promoted", "by a person"], "once, also where the first push had arrived"


def over_ssh(worker: Worker, server: SshServer) -> str:
    return f"git+ssh://{getpass.getuser()}@127.0.0.1:{server.port}{worker.remote.bare}@main#skills/sums"


@pytest.mark.parametrize("how", ["core.sshCommand", "GIT_SSH_COMMAND"])
def test_a_skill_is_read_and_promoted_over_ssh_as_the_user_has_set_it_up(
    worker: Worker, sshd: SshServer, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    command = f"ssh -F {sshd.client_config()}"
    if how == "core.sshCommand":
        worker.git_config("[core]", f"sshCommand = {command}")
    else:
        monkeypatch.setenv(how, command)
    said = worker("validate", over_ssh(worker, sshd), code=2)
    assert "Host key verification failed" in said
    assert said.endswith("once it is compared: ssh-keyscan HOST >> ~/.ssh/known_hosts")
    (sshd.folder / "known").write_text(sshd.host_key)
    assert "sums: valid" in worker("validate", over_ssh(worker, sshd))
    worker.promote(over_ssh(worker, sshd))
    assert worker.subjects() == ["sums 1: promoted", "by a person"]


def test_a_key_that_ssh_does_not_let_in_is_one_message_with_the_remedy(worker: Worker, sshd: SshServer) -> None:
    (sshd.folder / "known").write_text(sshd.host_key)
    worker.git_config("[core]", f"sshCommand = ssh -F {sshd.client_config(key='host')}")
    said = worker("validate", over_ssh(worker, sshd), code=2)
    assert "Permission denied (publickey)" in said
    assert said.endswith("give git a key here: a credential helper, ~/.netrc or an ssh key")
