"""Secrets that somebody committed: taken out of what a repository's files hold before a task is made of them.

Code speaks of passwords, of e-mail addresses and of connections all the time, and a test whose password was taken out
is another test. So what is certain by its own form goes (keys of services, private keys), wherever it stands, and all
that looks like a secret in files that are there for secrets.
"""

import re

from trace2skill.safety.redaction import Redactor
from trace2skill.safety.secret_patterns import rules_for
from trace2skill.safety.view import View

UNCERTAIN = frozenset({
    "e-mail", "home", "secret", "password", "cookie", "connection-string", "bearer-token", "basic-auth-credentials",
    "pgpass", "netrc",
})  # fmt: skip
"""Kinds that are told by the words around them."""
FOR_SECRETS = re.compile(
    r"(?i)(?:\A|/)(?:\.env(?!\.(?:example|sample|template)\b)[\w.-]*|\.netrc|\.npmrc|\.pypirc|\.htpasswd|\.git-credentials|\.pgpass|"
    r"[^/]+\.env|id_[a-z0-9]+|credentials(?:\.\w+)?|secrets?\.\w+|"
    r"[^/]*\.(?:pem|key|p12|tfvars))\Z"
)


KEY_STORE = re.compile(r"(?i)\.(?:p12|pfx|jks|keystore|kdbx)\Z")
PRIVATE = b"PRIVATE KEY-----"
"""Of a private key in text; without the zeros that UTF-16 has between its letters."""


def without_secrets(path: str, content: bytes) -> bytes | None:
    """The file without its secrets, None where there is none in it; nothing of one that is no text and holds keys."""
    if b"\0" in content[:8000]:
        return b"" if KEY_STORE.search(path) or PRIVATE in content.replace(b"\0", b"") else None
    text = content.decode("utf-8", "surrogateescape")
    if FOR_SECRETS.search(path):
        clean = Redactor().text(text)
    else:
        kinds = [rule for rule in rules_for(View(text)) if rule.kind not in UNCERTAIN]
        clean = _without(text) if any(rule.pattern.search(text) for rule in kinds) else text
    return clean.encode("utf-8", "surrogateescape") if clean != text else None


def _without(text: str) -> str:
    redactor = Redactor()
    redactor.text(text)
    for name, value in redactor.replaced.items():
        if name.split(":")[1] not in UNCERTAIN:
            text = text.replace(value, name)
    return text
