"""The simulated model: `sim/...` over LiteLLM, for the demo, the tests and the benchmarks.

Its competence is simulated; that it runs commands on real files, hands in fixes that are really run and answers the
same schemas as a model is not. It shows the machinery and proves nothing about the quality of a skill.
"""
