"""Git servers as others run them: git's own over https, with a certificate of the house and passwords, and sshd."""

import base64
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from conftest import PATIENCE

USER, PASSWORD = "bot", "s3cret-t0ken"
SSHD = shutil.which("sshd") or "/usr/sbin/sshd"


class HttpsServer:
    """Every bare repository below a folder, to who has the password. It can break off in the middle."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.authority = folder, folder / "authority.pem"
        self.goes_away_at = ""
        """Part of the path of requests whose answer never comes: the server does what is asked, and is gone."""
        key = folder / "key.pem"
        subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        subprocess.run([*made, *subject, "-keyout", key, "-out", self.authority], check=True, capture_output=True)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.authority, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = int(self._server.server_address[1])

    @contextmanager
    def answering(self) -> Iterator["HttpsServer"]:
        """As long as the block lasts."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def answer(self, request: BaseHTTPRequestHandler) -> bytes:
        """What `git http-backend` says, as CGI has it."""
        path, _, query = request.path.partition("?")
        size = int(request.headers.get("Content-Length") or 0)
        given = {
            "GIT_PROJECT_ROOT": str(self.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": request.command,
            "REMOTE_USER": USER,
            "CONTENT_TYPE": request.headers.get("Content-Type") or "",
            "CONTENT_LENGTH": str(size),
            "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding") or "",
            "GIT_PROTOCOL": request.headers.get("Git-Protocol") or "",
            "PATH": os.environ["PATH"],
        }
        done = subprocess.run(["git", "http-backend"], env=given, input=request.rfile.read(size), capture_output=True)
        return done.stdout

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server, wanted = self, "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                """Nobody reads it."""

            def do_GET(self) -> None:
                if self.headers.get("Authorization") != wanted:
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", 'Basic realm="git"')
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                head, _, body = server.answer(self).partition(b"\r\n\r\n")
                fields = dict(line.split(": ", 1) for line in head.decode().splitlines())
                self.send_response(int(fields.pop("Status", "200").split()[0]))
                for name, value in fields.items():
                    self.send_header(name, value)
                gone = server.goes_away_at and server.goes_away_at in self.path
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if gone else body)

            do_POST = do_GET

        return Handler


@pytest.fixture
def https(tmp_path: Path) -> Iterator[HttpsServer]:
    """A server whose repositories are those of the test's folder; skips where something of it is missing."""
    if not shutil.which("openssl") or subprocess.run(["git", "http-backend"], capture_output=True).returncode == 1:
        pytest.skip("needs openssl and git's http-backend")
    with HttpsServer(tmp_path).answering() as server:
        yield server


class SshServer:
    """An sshd of the test's own: its host key, the one key that it lets in, and the port it listens on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        for name in ("host", "user"):
            made = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name]
            subprocess.run(made, check=True, capture_output=True)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        lines = [f"Port {self.port}", "ListenAddress 127.0.0.1", f"HostKey {folder}/host", "PidFile none", "UsePAM no"]
        lines += [f"AuthorizedKeysFile {folder}/user.pub", "StrictModes no", "PasswordAuthentication no"]
        (folder / "sshd_config").write_text("\n".join([*lines, "KbdInteractiveAuthentication no", ""]))

    @contextmanager
    def answering(self) -> Iterator["SshServer"]:
        """As long as the block lasts; skips where sshd cannot run."""
        command = [SSHD, "-D", "-e", "-f", str(self.folder / "sshd_config")]
        if os.geteuid() == 0 and not Path("/run/sshd").is_dir():  # it wants one, in which nobody else looks
            own = 'mount -t tmpfs none /run && mkdir /run/sshd && exec "$@"'
            command = ["unshare", "--mount", "sh", "-c", own, "sh", *command]
        with (self.folder / "log").open("w") as log:
            server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            until = time.monotonic() + PATIENCE
            while "Server listening" not in (self.folder / "log").read_text():
                if server.poll() is not None:
                    pytest.skip(f"sshd does not run here: {(self.folder / 'log').read_text()}")
                assert time.monotonic() < until
                time.sleep(0.02)
            yield self
        finally:
            server.terminate()
            server.wait(PATIENCE)

    @property
    def host_key(self) -> str:
        """As a line of known_hosts."""
        return f"[127.0.0.1]:{self.port} {(self.folder / 'host.pub').read_text()}"

    def client_config(self, *, key: str = "user") -> Path:
        """A configuration of ssh's by which a user comes here, who knows no host yet."""
        path = self.folder / "config"
        lines = [f"IdentityFile {self.folder / key}", "IdentitiesOnly yes", f"UserKnownHostsFile {self.folder}/known"]
        path.write_text("\n".join(["Host *", *lines, "GlobalKnownHostsFile /dev/null", ""]))
        return path


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[SshServer]:
    """A server; skips where none is installed."""
    if not Path(SSHD).exists() or not shutil.which("ssh"):
        pytest.skip("needs sshd and ssh (openssh-server)")
    with SshServer(tmp_path / "ssh").answering() as server:
        yield server
