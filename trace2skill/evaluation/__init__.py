"""Scoring skills against each other on held-out tasks, and deciding on the evidence."""
