"""Commands about kinds of task: domains, new-domain."""

import json as json_module
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from trace2skill.cli import options as o
from trace2skill.cli.console import Console
from trace2skill.core.errors import BadInput
from trace2skill.domains.find import domain_class, domain_names


def domains(json: o.AsJson = False) -> None:
    """List the kinds of task there are, with their options for --domain-option.

    Ours, and those that installed packages register under the entry-point group `trace2skill.domains`.
    """
    rows = [_row(name) for name in domain_names()]
    if json:
        typer.echo(json_module.dumps(rows, indent=2))
        return
    table = Table("domain", "what", "options")
    for row in rows:
        options = "\n".join(f"{item['name']}={item['default']}: {item['description']}" for item in row["options"])
        table.add_row(row["name"], row["what"], options)
    Console().print(table)
    typer.echo("Your own: `trace2skill new-domain NAME`, then --domain path/to/NAME.py:Class")


def new_domain(
    name: Annotated[str, typer.Argument(help="Lower case, e.g. invoices.")],
    into: Annotated[Path, typer.Option(help="Directory in which the directory NAME is made.")] = Path(),
) -> None:
    """Write a domain of your own that works: a module, a small data set, a test, a README. Overwrites nothing."""
    from trace2skill.domains.skeleton import write_skeleton

    folder = write_skeleton(name, into)
    typer.echo(f"{folder} is made: begin with {folder / 'README.md'}")


def _row(name: str) -> dict[str, Any]:
    try:
        cls = domain_class(name)
    except BadInput as error:
        return {"name": name, "what": f"broken: {error}", "options": []}
    fields = cls.Options.model_fields if hasattr(cls, "Options") else {}
    options = [
        {"name": key, "default": str(field.get_default()), "description": field.description or ""}
        for key, field in fields.items()
    ]
    about = str(getattr(cls, "about", "")).split(". ")[0].replace("\n", " ").rstrip(".")
    return {"name": name, "what": about, "options": options}
