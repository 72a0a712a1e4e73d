"""Floor 7: a run: its settings, what it shares, its stages, what it costs, and what it leaves."""
