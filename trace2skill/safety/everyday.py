"""What honest advice says, too: findings that are a suspicion and no more.

The rule: what no honest advice needs stays out whatever a model says (what hides, speaks to the reader, gets round a
safeguard, reaches for secrets, runs what it fetched, or takes all of a machine). A command that any working day holds
and an act without another question do harm or not by what they are done to; whoever reads the line can tell. So the
list here is of what is everyday: whatever it does not name is no mere suspicion.
"""

import re

from trace2skill.safety.bounded import bounded


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile(bounded("|".join(patterns)), re.IGNORECASE)


COMMANDS = _any(
    # delete and begin anew
    r"rm\s|find\b.{0,90}\s-(?:delete|exec\s+rm)\b|truncate\s+-s|git\s+(?:reset\s+--hard|clean\s+-|push\s)|(?:drop|truncate)\s+(?:table|database|schema)\b|delete\s+from\b",
    r"shutil\.rmtree|os\.(?:remove|unlink|rmdir|removedirs)\(|Remove-Item\b|killall\b|(?:docker|podman)\s+(?:system\s+prune|rm\s)|kubectl\s+delete\b|aws\s+s3\s+rm\b|dropdb\b",
    # fetch, install, start
    r"(?:curl|wget|aria2c|lynx|httpie)\s|Invoke-(?:WebRequest|RestMethod)\b|(?:urlretrieve|urlopen)\(|(?:requests|httpx)\.\w+\(|git\s+clone\s|docker\s+(?:pull|run)\s",
    r"(?:apt|apt-get|yum|dnf|apk|pacman|zypper|brew)\s",
    r"\|\s*(?:python3?|perl|ruby|node)\b|(?:eval|exec|compile)\s*[(`\"']|os\.(?:system|popen)\b|subprocess\.\w+|child_process\b|python3?\s+-c\b|perl\s+-e\b|base64\s+-|xxd\s+-r\b|nohup\s",
    r"(?:PYTHONPATH|LD_LIBRARY_PATH|NODE_OPTIONS|NODE_PATH|JAVA_TOOL_OPTIONS|PAGER|MANPAGER)\s*=|pickle\.loads?\b|cPickle\b|dill\.loads?\(|joblib\.load\(|allow_pickle\b|weights_only\b",
    # as somebody else, elsewhere
    r"sudo\b|doas\s|su\s+-|chmod\s+(?:-\w+\s+)*[augo]*\+x\b|chown\s|systemctl\s+(?:stop|disable)\b|(?:scp|sftp|rsync|ssh)\s|(?:env|printenv|history)\s*\|",
)  # fmt: skip
"""How a finding begins that is an everyday command."""

NEVER = _any(
    # all of a machine, of a home, or of wherever one stands; the branch that others build on
    r"\brm\s[^\n|;&]{0,200}?\s[\"']?(?:/|~|\$\{?HOME\}?|/\*|/(?:etc|usr|bin|sbin|lib|boot|dev|proc|sys|root|home|var|opt|srv|mnt|Users)|[a-z]:\\?)[\"']?(?:/?\*)?/?[\"']?(?=$|[\s`;&|'\")]|[.,](?:\s|$))|\brm\s{1,9}(?:-[\w-]{1,40}\s{1,9}){1,9}(?:\.|\*|\.\*|\./\*)(?=$|[\s`;&|])"
    r"|\brm\s[^\n|;&]{0,200}?\s[\"']?(?:~|\$\{?HOME\}?)/(?:Documents|Desktop|Downloads|Pictures|Music|Videos|Library|projects?|src|work|code|repos?|git)/?[\"']?(?=$|[\s`;&|'\")]|[.,](?:\s|$))|\brm\s{1,9}(?:-[\w-]{1,40}\s{1,9}){1,9}(?:\.\./?){1,9}\*?(?=$|[\s`;&|])",
    r"\bfind\s+[\"']?(?:[/~]|\$\{?HOME\}?|/(?:home|root|etc|usr|var|opt|srv|Users))/?[\"']?(?=\s)|rmtree\(\s{0,9}(?:Path\()?(?:[\"'](?:/|~|/(?:home|root|etc|usr|var|opt|srv))/?[\"']|Path\.home\(\)|os\.path\.expanduser\()",
    r"\bgit\s+push\s[^\n|;&]{0,100}--mirror\b|\bgit\s+push(?=[^\n|;&`]{0,100}\s(?:-f|--force)\b)[^\n|;&`]{0,100}[\s:](?:main|master|trunk|production|release)\b",
    # rights for everybody, another source than the usual one, code that lies where anybody writes, ways in
    r"\b(?:0?[0-7]?777|a\+w|o\+\w*w|ugo\+\w*w)\b|\b(?:add-apt-repository|brew\s+tap|repo\s+add)\b|\bgit\+|--allow-|\bsudo\s+(?:su|-i|-s|bash|sh|visudo|passwd|useradd|usermod)\b|=\s*[\"']?(?:/tmp|/var/tmp|/dev/shm|~)/|\bssh\s+(?:-\w+\s+){0,9}-[RDLw]\b",
    # what was fetched, run
    r"\b(?:curl|wget)\s[^\n`]{0,200}\|\s{0,9}(?:sudo\s{1,9})?(?:python3?|perl|ruby|node)\b(?!\s{1,9}-[mc]\b)|\b(?:eval|exec)\s{0,9}\(\s{0,9}(?:requests|httpx|urllib|urlopen)\b",
    r"(?:\beval\b|\bsource\b|\s-c)\s{0,9}[\"'`]?\s{0,9}(?:\$|<)\(\s{0,9}(?:curl|wget)\b",
    # what is secret, sent
    r"\b(?:env|printenv|history)\b[^\n|;&`]{0,40}\|\s{0,9}(?:sudo\s{1,9})?(?:curl|wget|nc|ncat|netcat|socat|http)\b",
    r"(?:\s-d|\s--data[\w-]*|\s-F|\s--form|\s-T|\s--upload-file)\s{0,9}[^\s]{0,80}(?:\.env|key|secret|token|passw|cred|cookie|shadow)",
)  # fmt: skip
"""What makes none of a command that is everyday otherwise."""

ARCHIVE = re.compile(r"\A[\w-]{1,60}\.(?:zip|mov|page)[`'\").,;:]*\Z", re.IGNORECASE)
"""A name of a file that is the name of a host, too."""

ALWAYS = _any(
    r"\b(?:always|every time|any|whatever|whenever|immer|stets|jederzeit|siempre|cualquier\w*|всегда|люб[аоуы]\w+)\b|总是|總是|一律|任何|永远|永遠"
)
"""An act without another question that is told for ever turns the question off."""
SETTLES, HOST, COMMAND = "settles where nobody looks", "address of a host", "dangerous command"


def is_everyday(reason: str, piece: str, command: str) -> bool:
    """Is a piece that was found no more than a suspicion?

    Args:
        reason: why it was found.
        piece: what was found.
        command: the piece with the rest of its command.
    """
    if reason == HOST:
        return ARCHIVE.match(piece) is not None
    if reason not in (COMMAND, SETTLES):
        return False
    return COMMANDS.match(piece.strip()) is not None and not NEVER.search(command)


def is_told_once(said: str) -> bool:
    """Does a sentence that tells to act without asking speak of an occasion, and not of all?"""
    return ALWAYS.search(said) is None
