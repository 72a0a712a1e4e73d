"""Attempts on the machine through the sandbox: what a command holds, leaves or reaches beyond its limits.

All sizes are small: the limits are set to a fraction of the usual ones, and an attempt takes two or three times as much.
"""

import contextlib
import os
import subprocess
import tempfile
import time
from pathlib import Path

from attacks.texts import Tried
from trace2skill.core.errors import Trace2SkillError
from trace2skill.sandbox import Limits
from trace2skill.sandbox.bubblewrap import Bubblewrap
from trace2skill.sandbox.tree import scratch_directory

SMALL = Limits(wall_seconds=15, memory_mb=128, workspace_mb=20, file_mb=100, processes=64)
"""256 MB of memory for all processes, 8,000 files."""
PRELUDE = """
import array, ctypes, mmap, os, socket, sys, time
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *given):
    done = libc.syscall(number, *given)
    if done < 0: sys.exit("refused: " + os.strerror(ctypes.get_errno()))
    return done
def held():
    time.sleep(1.5)
    open("/workspace/held", "w").close()
def reached():
    open("/workspace/reached", "w").close()
MB, BLOCK = 2**20, b"x" * 2**20
ARM = os.uname().machine == "aarch64"
"""

# What a command holds for a second and a half without being stopped got through; what it was refused it does not hold.
HOLDS = {
    "memory of threads": "import threading\nkept = []\nfor n in range(3): t = threading.Thread(target=lambda: kept.append(bytearray(100 * MB))); t.start(); t.join()\nif len(kept) == 3: held()",
    "memory over processes": "for n in range(4):\n if os.fork() == 0: kept = bytearray(85 * MB); time.sleep(5); os._exit(0)\nheld()",
    "memory in memfd": "kept = [os.memfd_create('m') for n in range(6)]\nfor f in kept:\n for n in range(90): os.write(f, BLOCK)\nheld()",
    "memory in memfd, sent and closed": "a, b = socket.socketpair()\nfor n in range(6):\n f = os.memfd_create('m')\n for n in range(90): os.write(f, BLOCK)\n socket.send_fds(a, [b'x'], [f]); os.close(f)\nheld()",
    "memory in shared mappings": "for n in range(8):\n if os.fork() == 0:\n  m = mmap.mmap(-1, 80 * MB)\n  for n in range(80): m.write(BLOCK)\n  held(); os._exit(0)\nheld()",
    "memory in shared mappings of which a page is kept": "for n in range(8):\n at = libc.mmap; at.restype = ctypes.c_void_p; at.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]\n p = at(None, 80 * MB, 3, 0x21, -1, 0); ctypes.memset(p, 1, 80 * MB)\n libc.munmap(ctypes.c_void_p(p + 4096), ctypes.c_size_t(80 * MB - 4096))\nheld()",
    "memory in a shared mapping whose maker is gone": "for n in range(8):\n if os.fork() == 0:\n  m = mmap.mmap(-1, 80 * MB)\n  for n in range(80): m.write(BLOCK)\n  if os.fork() == 0: held(); os._exit(0)\n  os._exit(0)\nheld()",
    "System V memory": "libc.shmat.restype = ctypes.c_void_p\nfor n in range(8):\n i = call(194 if ARM else 29, 0, 80 * MB, 0o1600)\n p = libc.shmat(i, None, 0); ctypes.memset(ctypes.c_void_p(p), 1, 80 * MB); libc.shmdt(ctypes.c_void_p(p))\nheld()",
    "System V queues": "data = (ctypes.c_char * 8100)(1)\nfor n in range(20000):\n i = call(186 if ARM else 68, 0, 0o1600)\n libc.msgsnd(i, data, 8080, 0o4000); libc.msgsnd(i, data, 8080, 0o4000)\nheld()",
    "System V semaphores": "for n in range(200): call(190 if ARM else 64, 0, 32000, 0o1600)\nheld()",
    "pipes filled": "for n in range(20):\n if os.fork() == 0:\n  try:\n   for n in range(1900):\n    r, w = os.pipe(); os.set_blocking(w, False); os.write(w, b'x' * 4096); os.write(w, b'x' * 4096)\n  except OSError: pass\n  time.sleep(6); os._exit(0)\ntime.sleep(2)\nheld()",
    "sockets filled": "kept = []\nfor n in range(1500):\n a, b = socket.socketpair(); a.setblocking(False); kept += [a, b]\n try:\n  while a.send(b'x' * 60000): pass\n except BlockingIOError: pass\nheld()",
    "rings of io_uring": "p = (ctypes.c_char * 120)()\nfor n in range(8): call(425, 4096, p)\nheld()",
    "/tmp filled": "for n in range(40): open(f'/tmp/{n}', 'wb').write(BLOCK)\nheld()",
    "/dev/shm filled": "for n in range(100): open(f'/dev/shm/{n}', 'wb').write(BLOCK)\nheld()",
    "files in /tmp": "for n in range(20000): open(f'/tmp/{n}', 'w').close()\nheld()",
    "files in /dev/shm": "for n in range(20000): open(f'/dev/shm/{n}', 'w').close()\nheld()",
    "files in the workspace": "os.mkdir('d')\nfor n in range(20000): open(f'd/{n}', 'w').close()\nheld()",
    "deleted files": "kept = []\nfor n in range(10):\n kept.append(open('f', 'wb')); os.unlink('f'); kept[-1].write(BLOCK * 9); kept[-1].flush()\nheld()",
    "deleted files that are mapped": "kept = []\nfor n in range(10):\n f = open('f', 'w+b'); os.unlink('f'); f.write(BLOCK * 9); f.flush(); kept.append(mmap.mmap(f.fileno(), 9 * MB)); f.close()\nheld()",
    "deleted files of a thread's own": "import threading\ndef own():\n libc.unshare(0x400); kept = []\n for n in range(10):\n  kept.append(open('f', 'wb')); os.unlink('f'); kept[-1].write(BLOCK * 9); kept[-1].flush()\n time.sleep(6)\nthreading.Thread(target=own, daemon=True).start()\nheld()",
    "files and no output": "os.close(1); os.close(2)\nfor n in range(10): open(f'f{n}', 'wb').write(BLOCK * 9)\nheld()",
    "memory and no output": "os.close(1); os.close(2)\nfor n in range(4):\n if os.fork() == 0: kept = bytearray(85 * MB); time.sleep(5); os._exit(0)\nheld()",
    "processes": "for n in range(200):\n if os.fork() == 0: time.sleep(5); os._exit(0)\nheld()",
    "threads": "import threading\nfor n in range(200): threading.Thread(target=time.sleep, args=(3,), daemon=True).start()\nheld()",
    "open files": "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(7)[1],) * 2)\nkept = [os.dup(0) for n in range(10000)]\nheld()",
}  # fmt: skip

# What a command reaches: a file says so.
REACHES = {
    "a user namespace": "call(97 if ARM else 272, 0x10000000); reached()",
    "a mount namespace": "call(97 if ARM else 272, 0x20000); reached()",
    "the machine's vsock": "socket.socket(40, socket.SOCK_STREAM); reached()",
    "the kernel's ciphers": "socket.socket(38, socket.SOCK_SEQPACKET); reached()",
    "raw packets": "socket.socket(17, socket.SOCK_RAW); reached()",
    "a keyring that outlives it": "call(217 if ARM else 248, b'user', b't2s-attack', b'x', 1, ctypes.c_int(-3)); reached()",
    "the keyring of the session": "call(219 if ARM else 250, 0, ctypes.c_int(-3), 0); reached()",
    "BPF": "call(280 if ARM else 321, 0, (ctypes.c_char * 120)(1, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 1), 120); reached()",
    "counters of the processor": "p = (ctypes.c_char * 120)(); p[0] = 1; p[4] = 120; call(241 if ARM else 298, p, 0, -1, -1, 0); reached()",
    "page faults as a program": "call(282 if ARM else 323, 0); reached()",
    "secrets of the environment": "import glob\nfor p in glob.glob('/proc/*/environ'):\n try:\n  if 'OWN-SECRET' in open(p).read(): reached()\n except OSError: pass",
    "a store beside the workspace": "for p in ('../store.duckdb', '/proc/1/cwd/../store.duckdb', '/proc/1/root/STORE', 'STORE'):\n try:\n  if 'gold' in open(p).read(): reached()\n except OSError: pass",
    "the home": "for p in ('/root', '/home'):\n for n in os.listdir(p) if os.path.isdir(p) else ():\n  if not (sys.base_prefix + '/').startswith(p + '/' + n + '/'): reached()",
    "the network by a name": "s = socket.create_connection(('1.1.1.1', 53), 1); reached()",
}  # fmt: skip


def program(text: str, root: Path) -> str:
    """A command that runs a program, which lies in the workspace as a hidden file."""
    (root / ".program.py").write_text(PRELUDE + text.replace("STORE", str(root.parent / "store.duckdb")))
    return "python3 .program.py"


def resources() -> Tried:
    """What is held, reached or left behind, through the product's own sandbox."""
    for name, text in HOLDS.items():
        with scratch_directory("t2s-attack-") as directory:
            root = Path(directory)
            Bubblewrap().run(program(text, root), root, limits=SMALL)
            yield f"holds: {name}", (root / "held").exists()
    for name, text in REACHES.items():
        with scratch_directory("t2s-attack-") as directory:
            root = Path(directory) / "work"
            root.mkdir()
            (root.parent / "store.duckdb").write_text("gold")
            os.environ["OWN_KEY"] = "OWN-SECRET"
            Bubblewrap().run(program(text, root), root, limits=SMALL)
            del os.environ["OWN_KEY"]
            yield f"reaches: {name}", (root / "reached").exists()
    yield from _left()


BUSY = "while True: open('/workspace/ticks', 'a').write('x')"
LEAVES = {
    "a daemon": f"if os.fork() == 0:\n os.setsid()\n if os.fork() == 0:\n  {BUSY}\ntime.sleep(0.5)",
    "a daemon deaf to signals": f"import signal\nfor s in (1, 2, 15, 17): signal.signal(s, signal.SIG_IGN)\nif os.fork() == 0:\n os.setsid(); os.close(1); os.close(2)\n {BUSY}\ntime.sleep(0.5)",
    "a hundred busy daemons": f"for n in range(50):\n if os.fork() == 0:\n  {BUSY}\ntime.sleep(0.5)",
    "stopped processes": "import signal\nfor n in range(20):\n if os.fork() == 0: kept = bytearray(5 * MB); os.kill(os.getpid(), signal.SIGSTOP)\ntime.sleep(0.5)",
}  # fmt: skip


def _left() -> Tried:
    for name, text in LEAVES.items():
        for limit in (10.0, 0.8):
            with scratch_directory("t2s-attack-") as directory:
                root = Path(directory)
                (root / "ticks").touch()
                mark = f"t2s-mark-{os.getpid()}-{name.replace(' ', '-')}-{limit}"
                command = f"exec -a {mark} {program(text + (chr(10) + 'time.sleep(9)' if limit < 1 else ''), root)}"
                Bubblewrap().run(command, root, limits=SMALL.model_copy(update={"wall_seconds": limit}))
                alive = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
                before = (root / "ticks").stat().st_size
                time.sleep(0.05)
                yield f"leaves: {name}, {limit}", mark in alive or (root / "ticks").stat().st_size != before
    for name, relative in (("the mount's folder", "skill"), ("a folder above a mount", ".claude/skills/work")):
        with scratch_directory("t2s-attack-") as directory, tempfile.TemporaryDirectory() as outside:
            root, skill = Path(directory) / "work", Path(directory) / "given"
            root.mkdir()
            skill.mkdir()
            top, rest = relative.split("/")[0], relative.partition("/")[2]
            Bubblewrap().run(
                f"mv {top} moved; rm -rf {top}; ln -s /oldroot{outside} {top}; ln -s /oldroot{outside}/{rest} {top}",
                root,
                read_only={relative: skill},
                limits=SMALL,
            )
            with contextlib.suppress(Trace2SkillError):
                Bubblewrap().run("ls", root, read_only={relative: skill}, limits=SMALL)
            yield f"leaves: {name} becomes a link out", bool(os.listdir(outside))
    for name, flood in {"both ways": "yes >&2 & yes", "zeros": "cat /dev/zero", "through a pipe": "cat /dev/zero | tee /dev/stderr", "by many": "for i in 1 2 3 4 5 6 7 8; do yes $i & done; wait"}.items():  # fmt: skip
        with scratch_directory("t2s-attack-") as directory:
            result = Bubblewrap().run(flood, Path(directory), limits=SMALL)
            yield f"floods: {name}", result.stopped != "output" or len(result.output) > 400_000
