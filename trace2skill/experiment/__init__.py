"""Experiments as data: one YAML file says what is learned, by whom, used by whom, and on which tasks."""
