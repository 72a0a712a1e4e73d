"""A model that is answered by hand: `handoff/DIR`.

Each request waits as a file in DIR until somebody has answered it there, by `trace2skill handoff`: a person, or the
session of a coding agent. It comes over the same LiteLLM path as any model's, is offered the same tools and schemas,
and its answer is kept like any paid call. Whoever answers needs the folder and this package, and nothing of the run.
"""
