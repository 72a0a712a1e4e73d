"""Where a skill is in a Git repository: `git+https://host/team/skills@main#office/workbooks`.

An address never holds credentials, so that no settings, store, report, log or key can: those that somebody typed are
taken out of it, kept in this process alone, and given to git for the same repository.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import SplitResult, quote, unquote, urlsplit

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from trace2skill.skills.directory import bad_name

SCHEMES = ("file", "https", "ssh")
FORM = "git+https://HOST/REPOSITORY@BRANCH#PATH (or git+ssh://, git+file:///)"
_REF = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/+-]*")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_credentials: dict[str, str] = {}
"""USER:PASSWORD or USER by URL, as in an address that was given with them. Never written anywhere."""


@dataclass(frozen=True)
class GitAddress:
    """A directory of a repository. `ref` is '' for its default branch, `path` for its root."""

    url: str
    ref: str = ""
    path: str = ""

    def __str__(self) -> str:
        ref = self.ref.replace("/", "%2F") if "/" in self.ref and _is_doubtful(urlsplit(self.url)) else self.ref
        return f"git+{self.url}{f'@{ref}' if ref else ''}{self._behind}"

    @property
    def lineage(self) -> str:
        """What stays the same whatever branch is read, by whomever: repository and path."""
        return f"git+{self.url}{self._behind}"

    @property
    def _behind(self) -> str:
        path = re.sub(r"[\s%@?#]", lambda sign: quote(sign[0]), self.path)
        return f"#{path}" if path else ""

    @property
    def name(self) -> str:
        """Name of the directory."""
        return (self.path or urlsplit(self.url).path.removesuffix(".git")).rpartition("/")[2]

    @property
    def scheme(self) -> str:
        """How git reaches it: file, https or ssh."""
        return self.url.partition(":")[0]

    @property
    def credentials(self) -> str:
        """USER:PASSWORD for git, '' where the address was given without a password."""
        known = _credentials.get(self.url, "")
        return unquote(known) if ":" in known else ""

    @property
    def user(self) -> str:
        """For whom git is to ask for a password, '' where the address does not say or has the password itself."""
        known = _credentials.get(self.url, "")
        return "" if ":" in known else unquote(known)


def parse(value: Any) -> Path | GitAddress:
    """The place of a skill in a setting or option: a directory, or one in a Git repository.

    Raises:
        ValueError: it begins like the address of a repository and cannot be one. The message does not repeat it.
    """
    if isinstance(value, (Path, GitAddress)) and not str(value).startswith("git+"):
        return value
    text = str(value)
    if isinstance(value, GitAddress):
        return value
    if not text.startswith("git+"):
        return Path(text)
    scheme, _, rest = text.removeprefix("git+").partition(":")
    if scheme not in SCHEMES:
        raise ValueError(f"a repository is named as {FORM}, and by no other scheme")
    if re.search(r"[\s\x00-\x1f\x7f\\]", text):
        raise ValueError("an address holds no blanks, backslashes or control characters: write a blank as %20")
    if scheme == "file" and re.match(r"//[^/]", rest):
        raise ValueError("a repository on this machine is git+file:///PATH, with three slashes")
    # A command line's path has lost slashes of '//'.
    url, _, path = f"{scheme}://{'/' * (scheme == 'file')}{rest.lstrip('/')}".partition("#")
    parts = _parts(url)
    where, at, ref = parts.path.rpartition("@")
    if scheme != "file" and _may_be_password(parts, where if at else ref, ref if at else "", path):
        raise ValueError(
            "where the password and the host end cannot be told: write '/', '@', ':', '?', '#' of a user, password or "
            "path as %2F, %40, %3A, %3F, %23, and '/' of a branch as %2F, too"
        )
    place = _place(parts, where if at else ref)
    address = GitAddress(place, _ref(ref.replace("%2F", "/").replace("%2f", "/")) if at else "", _inside(path))
    if parts.username and scheme == "https":
        user = quote(unquote(parts.username), safe="")
        _credentials[place] = user if parts.password is None else f"{user}:{parts.password}"
    return address


def lineage_name(place: Path | GitAddress) -> str:
    """What a skill's nights are counted for: the repository and path, or the name of the directory."""
    return place.lineage if isinstance(place, GitAddress) else place.resolve().name


SkillAddress = Annotated[
    Path | GitAddress,
    PlainValidator(parse),
    PlainSerializer(str, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string"}),
]


def _parts(url: str) -> SplitResult:
    """The parts of a URL. What the library says of a wrong one repeats it, with a password that is in it."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError(
            f"the host or port of the repository cannot be: write it as {FORM}, and '/', '[' of a password as %2F, %5B"
        ) from None
    return parts


def _is_doubtful(parts: SplitResult) -> bool:
    """May what looks like a host and its port be a user and the beginning of a password with '/' in it?"""
    user, at, host = parts.netloc.rpartition("@")
    return parts.scheme != "file" and (":" in user if at else ":" in host or "." not in host)


def _may_be_password(parts: SplitResult, place: str, ref: str, path: str) -> bool:
    """Is there an '@' behind which the host may be, and before it a password that would be kept as a path?"""
    return "@" in place or ":" in place or "@" in path or ("/" in ref and _is_doubtful(parts))


def _place(parts: SplitResult, path: str) -> str:
    """The URL of the repository, without credentials."""
    names = path.strip("/").split("/")
    if parts.query or any(name in ("", ".", "..") or name.startswith("-") for name in names):
        raise ValueError(f"the path of the repository cannot be: write it as {FORM}")
    if parts.scheme == "file":
        return f"file:///{'/'.join(names)}"
    if not _HOST.fullmatch(parts.hostname or ""):
        raise ValueError(f"the host of the repository cannot be: write it as {FORM}")
    user = ""
    if parts.scheme == "ssh":
        if parts.password is not None:
            raise ValueError("leave the password out of the address: ssh takes a key, from its agent or configuration")
        if parts.username and not _HOST.fullmatch(parts.username):
            raise ValueError("the user in the address cannot be")
        user = f"{parts.username}@" if parts.username else ""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{user}{parts.hostname}{port}/{'/'.join(names)}"


def _ref(ref: str) -> str:
    if not _REF.fullmatch(ref) or ".." in ref or "//" in ref or ref.endswith(("/", ".", ".lock")) or "/." in ref:
        raise ValueError(
            "what follows '@' is the name of a branch or tag, or a whole commit: write '@' in a path as %40"
        )
    return ref


def _inside(path: str) -> str:
    names = [unquote(name) for name in path.split("/") if name]
    if any(bad_name(name) or "/" in name or "\N{REPLACEMENT CHARACTER}" in name for name in names) or any(
        name in (".", "..", ".git") or name.startswith("-") or ":" in name for name in names
    ):
        raise ValueError("what follows '#' is the path of a directory inside the repository")
    return "/".join(names)
