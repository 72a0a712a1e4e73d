"""Floor 3: Prefect flows. The order of the steps, and nothing else."""
