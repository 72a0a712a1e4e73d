"""What evolved skills are compared with (docs/baselines.md): the same trajectories and lessons, used another way."""
