"""The commands by name, each imported when it is asked for: what `trace2skill why` needs is not what `run` needs."""

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup


class Commands(MutableMapping[str, Any]):
    """Click's commands (values) by name.

    Args:
        places: by name, a module of `trace2skill.cli` and what it calls the command or the group: `look:show`.
        panels: by name, the part of the help that it is listed in; a group has none.
    """

    def __init__(self, places: Mapping[str, str], panels: Mapping[str, str]) -> None:
        self._places, self._panels = places, panels
        self._made: dict[str, Any] = {}
        self._more: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = self._more[name] if name in self._more else self._imported(name)
        return self._made[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._made[name] = self._more[name] = command

    def __delitem__(self, name: str) -> None:
        raise TypeError("no command is taken away")

    def __iter__(self) -> Iterator[str]:
        yield from {**self._places, **self._more}

    def __len__(self) -> int:
        return len({**self._places, **self._more})

    def _imported(self, name: str) -> Any:
        module, _, own = self._places[name].partition(":")
        found = getattr(import_module(f"trace2skill.cli.{module}"), own)
        holder = typer.Typer(rich_markup_mode="markdown", pretty_exceptions_enable=False)
        if isinstance(found, typer.Typer):
            holder.add_typer(found, name=name)
        else:
            holder.command(name, rich_help_panel=self._panels[name])(found)
        return typer.main.get_group(holder).commands[name]


def lazy_group(panels: Mapping[str, str], groups: Mapping[str, str]) -> type[TyperGroup]:
    """A group whose commands are imported when they are asked for.

    Args:
        panels: by the name of a part of the help, its commands in their order, as `module:function` between spaces;
            a command is called like its function, with hyphens.
        groups: by name, groups of commands.
    """
    listed = {
        panel: {place.partition(":")[2].replace("_", "-"): place for place in panels[panel].split()} for panel in panels
    }
    places = {name: place for commands in listed.values() for name, place in commands.items()} | dict(groups)
    of = {name: panel for panel, commands in listed.items() for name in commands}

    class Lazily(TyperGroup):
        def __init__(self, **given: Any) -> None:
            super().__init__(**{**given, "commands": Commands(places, of)})

    return Lazily
