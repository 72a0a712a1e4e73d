"""What became of a call, out of the words that programs put around its output.

A call ran and worked, ran and failed, or did not run. Programs say the third in words of their own, in the place of an
output; they wrap outputs in lines and tags that say how a command ended. Both are taken apart here, for every format.
Whatever is not at the very start of an output may be quoted in it, and says nothing.
"""

import re
from typing import NamedTuple

LOOKED_AT = 600
STOPPED = (
    ("sibling", re.compile(r"Cancell?ed: parallel tool call")),
    (
        "hook",
        re.compile(
            r"(?:\[?(?:Pre|Post)ToolUse(?::[\w-]+)? hook[\w ]* (?:blocked|denied|stopped|prevented|rejected)|"
            r"Blocked by hook|"
            r"(?:PreToolUse|BeforeTool)(?::[\w-]+)? (?:hook )?(?:blocking )?(?:error|denied|blocked)|"
            r"Operation (?:blocked|stopped) by hook|Tool (?:call|use) blocked by hook)",
            re.I,
        ),
    ),
    (
        "rule",
        re.compile(
            r"Permission to use .{1,300}? (?:has been|was) (?:auto-)?denied|"
            r"Claude requested permissions? to .{1,300}? but you haven't granted it|This command requires approval\b|"
            r"The user has specified a rule which prevents you from using|Permission denied and could not request|"
            r"(?:exec_command|shell|apply_patch)? ?(?:command )?(?:failed for `.{0,400}?`: )?"
            r"(?:CreateProcess \{ message: \"?)?"
            r"Rejected\(\\?\"(?!rejected by user)|"
            r"(?:Tool|Command|Action)\b.{0,80}? (?:is not allowed|was denied|denied) by (?:the )?polic(?:y|ies)|"
            r"Tool execution (?:denied|blocked) by policy|Access to .{1,300}? is blocked by the \.\w+ignore",
            re.S,
        ),
    ),
    (
        "user",
        re.compile(
            r"The user (?:doesn't|does not) want to (?:proceed with this tool use|take this action right now)|"
            r"\[Request interrupted by user|(?:The )?[Uu]ser (?:has )?"
            r"(?:rejected|denied|declined|cancell?ed|dismissed|skipped) "
            r"(?:the|this|tool|execution|permission|command|operation|action|your)\b|"
            r"(?:exec_command|shell|apply_patch)? ?(?:command )?failed for `.{0,400}?`: CreateProcess \{ message: "
            r"\"?Rejected\(\\?\"rejected by user|exec(?:_command)? (?:command )?rejected by (?:the )?user|"
            r"rejected by (?:the )?user|"
            r"patch rejected by user|aborted by (?:the )?user|\[Operation Cancelled\]|Operation cancelled by user|"
            r"Tool (?:call|use|execution|was)? ?(?:was )?"
            r"(?:rejected|declined|cancell?ed|denied|aborted|interrupted) by (?:the )?user|"
            r"User skipped this|Action rejected by (?:the )?user",
            re.S,
        ),
    ),
    (
        "program",
        re.compile(
            r"Command was aborted before completion|\[Tool (?:use|call|execution) (?:interrupted|cancell?ed|aborted)|"
            r"Tool execution (?:was )?(?:aborted|cancell?ed|interrupted)\b|"
            r"Tool \[\w+\] was not executed because|Tool call was (?:cancell?ed|interrupted|not executed)|aborted\s*\Z"
        ),
    ),
)
STARTS = (
    "cancel", "pretooluse", "[pretooluse", "posttooluse", "beforetool", "blocked by", "operation", "tool", "permission",
    "claude requested", "this command requires", "the user", "user", "[request", "[operation", "[tool", "exec", "shell",
    "apply_patch", "createprocess", "rejected", "command", "action", "access to", "patch rejected", "aborted",
)  # fmt: skip
"""What they begin with, in small letters: a quick look for all the outputs that begin otherwise."""
ONE_TAG = re.compile(r"\A\s*<(tool_use_error|error)>(.*?)</\1>\s*\Z", re.S)
ERROR_WORD = re.compile(r"\A(?:Error|ERROR|error): ?")
CODE_LINE = re.compile(r"\A\s*(?:Error: )?Exit code (-?\d{1,6})[ \t]*(?:\r?\n|\Z)")
RETURNED = re.compile(r"\A\s*<returncode>\s*(-?\d{1,6})\s*</returncode>\s*")
HEADER = re.compile(
    r"\A(?:Chunk ID: |Command: |Exit code: |Wall time: |Process exited |Process running |Total output lines: )"
)
HEADER_LINE = re.compile(r"(?:Chunk ID|Command|Wall time|Process running|Original token count|Total output lines)\b")
HEADER_CODE = re.compile(r"(?m)^(?:Process exited with code|Exit code:) (-?\d{1,6})[ \t]*$")
HEADER_END = re.compile(r"(?m)^Output:[ \t]*(?:\n|\Z)")
FOOTER = re.compile(
    r"(?:\n?\[(?:Current working directory|Python interpreter): [^\]\n]*\])*"
    r"\n?\[(?:The command completed|Command finished|The command finished) with exit code (-?\d{1,6})\.?[^\]\n]*\]\s*\Z"
)
TERMINAL = re.compile(
    r"\A(?:Command executed|Command execution)[^\n]{0,400}?\bExit code: (-?\d{1,6})[^\n]*\n(?:Output:\n?)?", re.I
)
SHELL_HEAD = re.compile(r"(?:Command: .*?\n)?(?:Directory: [^\n]*\n)?(?:Output|Stdout): ", re.S)
SHELL_CODE = re.compile(r"Exit Code: (?P<code>-?\d{1,6}|\(none\))")
SHELL_END = ("Signal: ", "Background PIDs: ", "Process Group PGID: ")
BEFORE = re.compile(r"\A\s*(?:(?:cd\s+[^\s&;|][^&;|\n]*(?:&&|;)|\w+=\S*|time|command|sudo|env|timeout\s+\S+)\s+)*")
NO_MATCH = re.compile(r"\A(?:git\s+grep|grep|egrep|fgrep|zgrep|rg|ag|ack|pgrep|which|type|command\s+-v)\b")
DIFFERS = re.compile(
    r"\A(?:git\s+(?:--no-pager\s+)?diff\b[^|;&\n]*(?:--exit-code|--quiet|--no-index)|diff|cmp|colordiff)\b"
)
FALSE = re.compile(
    r"\A(?:test\s|\[\s|\[\[\s|git\s+diff\s+--quiet|git\s+merge-base\s+--is-ancestor|git\s+check-ignore|false\b)"
)
IN_A_SHELL = re.compile(r"\A(?:/[\w/]+/)?(?:ba|z|da|k)?sh -l?c (['\"])(.*)\1\s*\Z", re.S)
SHELL_NAMES = frozenset(
    {"bash", "shell", "sh", "terminal", "run_shell_command", "local_shell", "execute_bash", "exec_command",
     "run_command", "execute_command", "container.exec", "run_terminal_cmd"}
)  # fmt: skip


MAY_WRAP = frozenset("<\n ECWPTc")
"""What a wrapper of an output begins with."""
MAY_END = frozenset("]\n")
"""What one that stands below an output ends with."""
MAY_STOP = frozenset({word[0] for word in STARTS} | {word[0].upper() for word in STARTS} | set("Ee< \n"))
"""What the words of who stopped a call begin with."""


class Opened(NamedTuple):
    """An output without what a program put around it."""

    content: str
    exit_code: int | None = None
    error: bool = False


def opened(shown: str) -> Opened:
    """The output itself, and the exit code that its wrapper names.

    Known are the wrappers of Claude Code (a first line, tags), Codex (a header), mini-swe-agent (tags), OpenHands (a
    footer) and Roo (a first line). What has none comes back as it is.
    """
    start = shown[:1]
    if start in "<\n ":
        if found := RETURNED.match(shown):
            return Opened(_inside(shown[found.end() :]), int(found[1]))
        if tagged := ONE_TAG.match(shown):
            return opened(tagged[2].strip())._replace(error=True)
    if start in "E\n " and (found := CODE_LINE.match(shown)):
        return Opened(shown[found.end() :], int(found[1]))
    if start in "CEWPT" and HEADER.match(shown):
        return _without_header(shown)
    if start in "Cc" and (found := TERMINAL.match(shown)):
        return Opened(shown[found.end() :], int(found[1]))
    if "exit code" in shown[-300:] and (found := FOOTER.search(shown[-1000:])):
        return Opened(shown[: len(shown) - len(found[0])], int(found[1]))
    return Opened(shown)


def _inside(shown: str) -> str:
    """What stands between the tags of an output, where it has them."""
    if not shown.startswith("<output>") or not (end := shown.rstrip()).endswith("</output>"):
        return shown
    return end[len("<output>") : -len("</output>")].removeprefix("\n").removesuffix("\n")


def opened_shell(shown: str) -> Opened:
    """The output of the shell tool of Gemini CLI and Qwen Code, which names its parts (`Output:`, `Exit Code:`)."""
    begins = shown.startswith(("Command: ", "Directory: ", "Output: ", "Stdout: "))
    head = SHELL_HEAD.match(shown) if begins else None
    if head is None:
        return Opened(shown)
    lines = shown[head.end() :].rstrip().split("\n")
    while len(lines) > 1 and f"{lines[-1]} ".startswith(SHELL_END):
        lines.pop()
    code = SHELL_CODE.fullmatch(lines[-1]) if len(lines) > 1 else None
    out, _, failed = "\n".join(lines[:-1] if code else lines).partition("\nError: ")
    out, _, stderr = out.partition("\nStderr: ")
    parts = [part for part in (out, stderr, failed) if part not in ("", "(none)", "(empty)")]
    return Opened("\n".join(parts), int(code["code"]) if code and code["code"] != "(none)" else None)


def stopped_by(shown: str) -> str:
    """Who stopped the call, where its output says that it did not run: 'user', 'rule', 'hook', 'sibling', 'program'."""
    start = ERROR_WORD.sub("", shown[:LOOKED_AT].lstrip())
    if not start[:24].lower().startswith(STARTS):
        return ""
    return next((who for who, words in STOPPED if words.match(start)), "")


def harmless(command: str, exit_code: int | None, output: str) -> str:
    """Why an exit code of 1 is no failure, '' where it is one: a search without a match, files that differ, a test.

    Of a pipe or a list the last command counts: it is the one whose code the shell gives.
    """
    if exit_code != 1:
        return ""
    line = command.strip().rstrip(";&\n").rpartition("\n")[2]
    last = BEFORE.sub("", re.split(r"\|\||&&|;|(?<!\|)\|(?!\|)", line)[-1])
    program = " ".join(last.split()[:1]).rpartition("/")[2]
    if NO_MATCH.match(last) and (not output.strip() or _counted_none(output)):
        return f"{program}: no match"
    if DIFFERS.match(last) and (output.strip() or "quiet" in last or " -q" in last):
        return f"{program}: differs"
    return f"{program}: false" if FALSE.match(last) and not output.strip() else ""


def _counted_none(output: str) -> bool:
    """Does every line say 0? That is what `grep -c` prints where nothing matches."""
    return all(line.strip().rpartition(":")[2] == "0" for line in output.splitlines() if line.strip())


def command_of(name: str, arguments: dict[str, object]) -> str:
    """The command that a call of a shell runs, '' for another tool."""
    if name.lower() not in SHELL_NAMES:
        return ""
    given = arguments.get("command", arguments.get("cmd", ""))
    words = list(map(str, given)) if isinstance(given, list) else []
    if len(words) == 3 and words[1] in ("-c", "-lc"):  # ["bash", "-lc", COMMAND]
        return words[2]
    if words:
        return " ".join(words)
    inner = IN_A_SHELL.match(str(given))
    return inner[2] if inner else str(given)


def _without_header(shown: str) -> Opened:
    """Codex's header: a few named lines before `Output:`, in which a command may stand over many lines."""
    code = HEADER_CODE.search(shown)
    end = HEADER_END.search(shown, code.end() if code else 0)
    if end is None:
        return Opened(shown)
    codes = HEADER_CODE.findall(shown, 0, end.start())
    if not codes and not all(HEADER_LINE.match(line) for line in shown[: end.start()].splitlines()):
        return Opened(shown)  # no header: a text that begins like one
    return Opened(shown[end.end() :], int(codes[-1]) if codes else None)
