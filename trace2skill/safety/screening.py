"""Screening of what would enter a skill from logs: text that speaks to its reader, hides, or brings commands and hosts.

A log's words can be written by anybody. What is suspicious is withheld with the reason and shown for review.
"""

import re
import unicodedata

RULES: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "speaks to the reader",
        re.compile(
            r"(?i)\b(?:ignore|disregard|forget|override|bypass)\b[^.\n]{0,40}\b(?:instruction|prompt|rule|previous|above|polic)"
            r"|\byou (?:are now|must now)\b|\bsystem prompt\b|\bdo not tell\b|\bnew instructions?\b|</?(?:system|assistant|user)\b"
            r"|\b(?:ignoriere|vergiss)\b[^.\n]{0,40}\b(?:anweisung|regel)|\bignore[zr]\b[^.\n]{0,40}\b(?:instructions|consignes)"
            r"|\bignora\b[^.\n]{0,40}\binstrucciones\b|忽略.{0,12}指令"
        ),
    ),
    ("HTML", re.compile(r"<!--|<(?:script|img|iframe|a|style)\b", re.I)),
    ("data URL", re.compile(r"\bdata:[\w.+-]+/[\w.+-]+[;,]|\bjavascript:", re.I)),
    ("address of a host", re.compile(r"\b(?:https?|ftp|wss?)://|\bwww\.", re.I)),
    (
        "dangerous command",
        re.compile(
            r"\brm\s+-[a-z]*[rf]|\b(?:curl|wget|nc|ncat|scp|rsync)\s+\S|\bsudo\b|\bchmod\s+(?:\+[sx]|777)|\bmkfs|\bdd\s+if="
            r"|\|\s*(?:ba|z)?sh\b|\beval\b\s*[($\"']|\bbase64\s+-d|\bgit\s+push\s+(?:-f|--force)|\bDROP\s+TABLE\b|>\s*/dev/(?:sd|tcp)"
            r"|\b(?:invoke-expression|iex)\b|~/\.ssh|\.aws/credentials|/etc/(?:passwd|shadow)",
            re.I,
        ),
    ),
    ("encoded text", re.compile(r"[A-Za-z0-9+/]{60,}={0,2}|(?:\\x[0-9a-fA-F]{2}){8,}|(?:%[0-9a-fA-F]{2}){8,}")),
)  # fmt: skip


def screened(text: str) -> str:
    """Why a text may not enter a skill, '' where nothing speaks against it."""
    hidden = sorted({f"U+{ord(sign):04X}" for sign in text if unicodedata.category(sign) in ("Cf", "Co", "Cs")})
    if hidden or any(unicodedata.category(sign) == "Cc" and sign not in "\n\t" for sign in text):
        return f"hidden characters {', '.join(hidden[:5])}".strip()
    return next((reason for reason, pattern in RULES if pattern.search(text)), "")
