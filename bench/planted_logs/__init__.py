"""Synthetic sessions with planted causes in three formats: see `bench/miner.py`."""
