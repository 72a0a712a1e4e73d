"""The analysts: each reads one trajectory, alone, and draws at most three lessons from it."""
