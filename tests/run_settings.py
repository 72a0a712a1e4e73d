"""Settings of a run from the names of their fields, without their sections: short where a test needs a few."""

from trace2skill.runs.settings import RunSettings


def run_settings(**values: object) -> RunSettings:
    """`run_settings(data=..., roles=..., workers=2)`; as the flat form that is still read, without its warning."""
    return RunSettings.model_validate(values, context={"kept": True})
