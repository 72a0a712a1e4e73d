"""Where the project is that this package belongs to: its flows, tasks and deployments, and the data of the demo.

In a checkout they lie beside the package; an installed package carries them inside, so that site-packages has no
`flows` and `tasks` that might be anybody's.
"""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

from trace2skill.core.errors import BadInput

_PACKAGE = Path(__file__).resolve().parents[1]
_INSIDE = _PACKAGE / "project"
PACKAGES = ("flows", "tasks", "deployments")
ROOT = _INSIDE if _INSIDE.is_dir() else _PACKAGE.parent


def project_module(name: str) -> ModuleType:
    """Import a module of the project by its name, e.g. `flows.refresh`.

    Raises:
        BadInput: it is not there, or another package of that name is.
    """
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))  # first: whoever has flows of their own may call theirs so
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in PACKAGES:
            raise
        found = getattr(sys.modules.get(package), "__file__", None) or ROOT
        if not Path(found).is_relative_to(ROOT):
            raise BadInput(
                f"trace2skill's own package '{package}' is wanted, and this process has imported another of that name "
                f"({found}): call it in a process of its own"
            ) from error
        raise BadInput(f"trace2skill's {package} are not at {ROOT}: install it again, or use a checkout") from error
