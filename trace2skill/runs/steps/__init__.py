"""The stages of a run: each takes ids, loads what they name, does one thing, keeps the result, returns its id."""
