"""What a model's command can and cannot do, one by one."""

import itertools
import os
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from product import COMMAND

from trace2skill.core.errors import InfrastructureFault, SandboxMissing
from trace2skill.sandbox import Limits, Sandbox, bubblewrap, choose_sandbox, safe_read
from trace2skill.sandbox.bubblewrap import Bubblewrap
from trace2skill.sandbox.docker import Docker
from trace2skill.sandbox.process import PlainProcess

SHORT = Limits(wall_seconds=3, cpu_seconds=3, workspace_mb=20, file_mb=10)
needs_bwrap = pytest.mark.skipif(bool(bubblewrap.works()), reason=f"no working bwrap: {bubblewrap.works()}")
SANDBOXES = [pytest.param(Bubblewrap(), marks=needs_bwrap, id="bwrap"), pytest.param(PlainProcess(), id="process")]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    path = tmp_path / "workspace"
    path.mkdir()
    return path


@pytest.mark.parametrize("sandbox", SANDBOXES)
class TestEverySandbox:
    def test_commands_work_on_files_that_stay(self, sandbox: Sandbox, workspace: Path) -> None:
        (workspace / "in.txt").write_text("21")
        result = sandbox.run("python -c \"print(int(open('in.txt').read()) * 2)\" | tee out.txt", workspace)
        assert (result.exit_code, result.output) == (0, "42\n")
        assert sandbox.run("cat out.txt; pwd", workspace).output == "42\n/workspace\n"

    def test_a_failed_command_is_a_result(self, sandbox: Sandbox, workspace: Path) -> None:
        result = sandbox.run("echo before; echo wrong >&2; exit 7", workspace)
        assert (result.exit_code, result.output, result.stopped) == (7, "before\nwrong\n", "")

    @pytest.mark.parametrize(
        ("command", "said"),
        [
            (f"echo {'x' * 200_000}", "200,005 bytes"),
            ("echo a\0b", "no command can hold"),
            ("echo \ud800", "no command can hold"),
        ],
    )
    def test_what_no_shell_takes_is_a_result_too(
        self, command: str, said: str, sandbox: Sandbox, workspace: Path
    ) -> None:
        result = sandbox.run(command, workspace)
        assert result.exit_code == 126
        assert said in result.output

    def test_no_secret_of_the_host_is_in_the_environment(
        self, sandbox: Sandbox, workspace: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-the-hosts-own")
        result = sandbox.run("env; echo $OPENAI_API_KEY; tr '\\0' '\\n' </proc/self/environ", workspace)
        assert "sk-the-hosts-own" not in result.output
        assert "PATH=" in result.output

    def test_endless_command_is_stopped_with_its_children(self, sandbox: Sandbox, workspace: Path) -> None:
        limits = Limits(wall_seconds=1)
        mark = own_mark()
        result = sandbox.run(f"sleep {mark} & sleep {mark}", workspace, limits=limits)
        assert (result.exit_code, result.stopped) == (None, "time")
        assert not left_running(mark)

    def test_what_it_leaves_in_the_background_ends_with_it(self, sandbox: Sandbox, workspace: Path) -> None:
        mark = own_mark()
        result = sandbox.run(f"sleep {mark} & echo done", workspace, limits=SHORT)
        assert (result.exit_code, result.output) == (0, "done\n")
        assert not left_running(mark)

    def test_a_gigabyte_of_output_is_stopped_and_bounded(self, sandbox: Sandbox, workspace: Path) -> None:
        result = sandbox.run("yes 0123456789 | head -c 1G", workspace, limits=SHORT)
        assert result.stopped == "output"
        assert len(result.output) < 200_000
        assert result.omitted_bytes > 0
        assert "bytes left out" in result.output

    def test_endless_memory_is_refused(self, sandbox: Sandbox, workspace: Path) -> None:
        limits = Limits(memory_mb=256)
        result = sandbox.run("python -c 'bytearray(10**9)'; echo code $?", workspace, limits=limits)
        assert "MemoryError" in result.output
        assert "code 1" in result.output

    def test_a_file_that_grows_without_end_is_stopped(self, sandbox: Sandbox, workspace: Path) -> None:
        result = sandbox.run("head -c 100M /dev/zero > big; stat -c %s big", workspace, limits=SHORT)
        assert int(result.output.split()[-1]) <= 10 * 2**20

    def test_many_files_that_fill_the_disk_are_stopped(self, sandbox: Sandbox, workspace: Path) -> None:
        command = "for i in $(seq 1000); do head -c 1M /dev/zero > f$i; done; sleep 5"
        assert sandbox.run(command, workspace, limits=SHORT).stopped == "disk"

    def test_output_that_is_no_text_is_still_read(self, sandbox: Sandbox, workspace: Path) -> None:
        assert "\ufffd" in sandbox.run("printf '\\xff\\xfe\\x00ok'", workspace).output

    def test_the_skill_can_be_read_and_is_whole_for_the_next_command(
        self, sandbox: Sandbox, workspace: Path, tmp_path: Path
    ) -> None:
        skill = tmp_path / "skill"
        skill.mkdir()
        (skill / "SKILL.md").write_text("rules")
        mounts = {"skill": skill}
        sandbox.run("rm -rf skill; echo mine > skill/SKILL.md", workspace, read_only=mounts)
        assert sandbox.run("cat skill/SKILL.md", workspace, read_only=mounts).output == "rules"
        assert (skill / "SKILL.md").read_text() == "rules"


@needs_bwrap
class TestBubblewrap:
    """What only the real boundary holds back."""

    def test_no_network(self, workspace: Path) -> None:
        reached = threading.Event()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(2)

            def accept() -> None:
                try:
                    listener.accept()
                    reached.set()
                except TimeoutError:
                    return

            thread = threading.Thread(target=accept)
            thread.start()
            port = listener.getsockname()[1]
            script = f"import socket; socket.create_connection(('127.0.0.1', {port}), 1)"
            result = Bubblewrap().run(f'python -c "{script}"; curl -sS -m 1 http://127.0.0.1:{port}/', workspace)
            thread.join()
        assert not reached.is_set()
        assert result.exit_code != 0

    def test_the_hosts_users_are_not_seen(self, workspace: Path) -> None:
        result = Bubblewrap().run("cat /etc/passwd; cat /etc/shadow", workspace)
        assert "agent:x:" in result.output
        assert len([line for line in result.output.splitlines() if ":x:" in line]) == 2
        assert result.exit_code != 0

    def test_nothing_outside_the_workspace_can_be_written(self, workspace: Path) -> None:
        command = (
            "for p in /usr/x /etc/x /x ../x /workspace/../y /root/x /home/x; do echo evil > $p && echo wrote $p; done"
        )
        result = Bubblewrap().run(command, workspace)
        assert "wrote" not in result.output
        assert not (workspace.parent / "x").exists()

    def test_nothing_of_the_hosts_disk_is_there(self, workspace: Path, tmp_path: Path) -> None:
        secret = tmp_path / "secret.txt"
        secret.write_text("the hosts own")
        assert "the hosts own" not in Bubblewrap().run(f"cat {secret}; ls -R /root /home /tmp", workspace).output

    def test_no_process_of_the_host_is_seen(self, workspace: Path) -> None:
        result = Bubblewrap().run("ls /proc | grep -c '^[0-9]'; cat /proc/1/environ", workspace)
        assert int(result.output.split()[0]) < 10
        assert "TERM=" not in result.output

    def test_a_fork_bomb_stays_small_and_ends(self, workspace: Path) -> None:
        result = Bubblewrap().run(":(){ :|:& };:; sleep 30", workspace, limits=Limits(wall_seconds=2, processes=64))
        assert result.stopped == "time"
        assert "Resource temporarily unavailable" in result.output

    def test_a_daemon_that_left_its_session_ends_too(self, workspace: Path) -> None:
        mark = own_mark()
        script = f"import os, time\nif os.fork() == 0:\n os.setsid()\n if os.fork() == 0:\n  time.sleep({mark})"
        (workspace / "daemon.py").write_text(script)
        Bubblewrap().run(f"python daemon.py {mark} & sleep 0.3", workspace)
        assert not left_running(mark)

    def test_it_has_no_capability_and_no_root(self, workspace: Path) -> None:
        result = Bubblewrap().run("id -u; grep CapEff /proc/self/status; unshare -r true", workspace)
        assert result.output.split()[0] != "0"
        assert "0000000000000000" in result.output

    def test_one_that_cannot_start_is_a_fault_and_no_result(self, workspace: Path, tmp_path: Path) -> None:
        with pytest.raises(InfrastructureFault, match="could not start"):
            Bubblewrap().run("true", workspace, read_only={"skill": tmp_path / "missing"})


class TestSafeRead:
    def test_regular_file(self, workspace: Path) -> None:
        (workspace / "output").mkdir()
        (workspace / "output" / "a").write_bytes(b"x")
        assert safe_read(workspace, "output/a", 10) == b"x"
        assert safe_read(workspace, "output/a", 0) is None
        assert safe_read(workspace, "output/missing", 10) is None

    def test_links_devices_and_pipes_are_not_followed_and_do_not_hang(self, workspace: Path, tmp_path: Path) -> None:
        (tmp_path / "secret").write_bytes(b"secret")
        (workspace / "link").symlink_to(tmp_path / "secret")
        (workspace / "folder").symlink_to(tmp_path)
        os.mkfifo(workspace / "pipe")
        (workspace / "dir").mkdir()
        for name in ("link", "folder/secret", "pipe", "dir", "../secret", str(tmp_path / "secret")):
            assert safe_read(workspace, name, 100) is None, name


class TestChoice:
    def test_without_bwrap_a_real_model_is_refused_with_the_remedy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bubblewrap, "works", lambda: "bwrap is not installed (Debian package bubblewrap)")
        with pytest.raises(SandboxMissing, match="apt install bubblewrap"):
            choose_sandbox("auto", simulated_model=False)
        with pytest.raises(SandboxMissing):
            choose_sandbox("bwrap", simulated_model=True)
        assert choose_sandbox("auto", simulated_model=True).name == "process"
        assert choose_sandbox("process", simulated_model=False).name == "process"

    @needs_bwrap
    def test_where_parts_of_proc_are_masked_as_in_a_container_the_refusal_says_what_to_allow(self) -> None:
        around = (
            "bwrap --dev-bind / / --unshare-user --uid 1000 --gid 1000 --proc /proc --dev-bind /dev/null /proc/cmdline"
        )
        asked = "from trace2skill.sandbox.bubblewrap import works; print(works())"
        done = subprocess.run(
            [*around.split(), sys.executable, "-c", asked], capture_output=True, text=True, check=True
        )
        assert "Can't mount proc on /newroot/proc: Operation not permitted" in done.stdout
        assert "--security-opt systempaths=unconfined" in done.stdout

    def test_docker_gets_no_network_no_secret_and_the_limits(
        self, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shim = tmp_path / "bin" / "docker"
        shim.parent.mkdir()
        # Stands for the engine, which is not here: notes its arguments and runs what follows the image.
        log = tmp_path / "arguments"
        shim.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {log}\nwhile [ "$1" != sh ]; do shift; done\nexec "$@"\n')
        shim.chmod(0o755)
        monkeypatch.setenv("PATH", f"{shim.parent}:{os.environ['PATH']}")
        monkeypatch.setenv("OPENAI_API_KEY", "sk-the-hosts-own")
        result = Docker().run("echo hello; env", workspace)
        assert result.exit_code == 0
        assert "hello" in result.output
        assert "sk-the-hosts-own" not in result.output
        arguments = log.read_text().split("\n")
        assert arguments[arguments.index("--network") + 1] == "none"
        assert "--read-only" in arguments
        assert arguments[arguments.index("--pids-limit") + 1] == "128"
        assert shutil.which("docker") == str(shim)


MARKS = itertools.count(100)


def own_mark() -> str:
    """A number of seconds that no other test run on this machine sleeps, so that they cannot take each other's."""
    return f"9{os.getpid()}{next(MARKS)}"


def left_running(mark: str) -> bool:
    """Is a process with that mark in its command line still there?"""
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return any(mark in line and "ps -eo" not in line and "pytest" not in line for line in listed.splitlines())


def test_this_interpreter_is_the_one_inside(tmp_path: Path) -> None:
    for sandbox in (PlainProcess(), *([] if bubblewrap.works() else [Bubblewrap()])):
        assert sandbox.run("python -c 'import sys; print(sys.version)'", tmp_path).output.strip() == sys.version.strip()


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="takes rights away from root")
@pytest.mark.parametrize("lacking", [("DAC_OVERRIDE", "DAC_READ_SEARCH"), ("CHOWN",)], ids=str)
def test_root_without_the_rights_of_root_is_told_so_in_a_line_and_nothing_is_left_behind(
    lacking: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "logs").mkdir()
    fewer = ["setpriv", f"--bounding-set={','.join(f'-{name.lower()}' for name in lacking)}", "--inh-caps=-all"]
    said = subprocess.run(
        [*fewer, COMMAND, "mine", "logs", "--to", "out"],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert said.returncode == 2
    assert f"root without CAP_{lacking[0]}" in said.stderr
    assert f"--cap-add {lacking[0]}" in said.stderr
    assert len(said.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["logs"], "the probe's folder is gone"
