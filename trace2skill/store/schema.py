"""The tables, as a list of migrations: the version of a store is how many of them it has had."""

MIGRATIONS: list[list[str]] = [
    [
        "CREATE TABLE result (key TEXT PRIMARY KEY, value BLOB NOT NULL, written TIMESTAMP NOT NULL)",
        "CREATE TABLE model_call (key TEXT PRIMARY KEY, value TEXT NOT NULL, written TIMESTAMP NOT NULL)",
        "CREATE TABLE observation (key TEXT PRIMARY KEY, value TEXT NOT NULL, written TIMESTAMP NOT NULL)",
        "CREATE TABLE noun (kind TEXT, id TEXT, value TEXT NOT NULL, written TIMESTAMP NOT NULL, "
        "PRIMARY KEY (kind, id))",
        "CREATE TABLE ledger (run_id TEXT, step TEXT, role TEXT, model TEXT, params TEXT, seed BIGINT, "
        "tokens_in BIGINT, tokens_out BIGINT, tokens_cached BIGINT, cost DOUBLE, latency_seconds DOUBLE, "
        "attempts INTEGER, outcome TEXT, call_key TEXT, written TIMESTAMP NOT NULL)",
        "CREATE TABLE run (id TEXT PRIMARY KEY, kind TEXT, settings TEXT, state TEXT, summary TEXT, "
        "attempts INTEGER, started TIMESTAMP, ended TIMESTAMP)",
    ],
]
VERSION = len(MIGRATIONS)

COLUMNS: dict[str, list[tuple[str, str]]] = {
    "result": [("key", "TEXT"), ("value", "BLOB")],
    "model_call": [("key", "TEXT"), ("value", "TEXT")],
    "observation": [("key", "TEXT"), ("value", "TEXT")],
    "noun": [("kind", "TEXT"), ("id", "TEXT"), ("value", "TEXT")],
    "ledger": [
        ("run_id", "TEXT"),
        ("step", "TEXT"),
        ("role", "TEXT"),
        ("model", "TEXT"),
        ("params", "TEXT"),
        ("seed", "BIGINT"),
        ("tokens_in", "BIGINT"),
        ("tokens_out", "BIGINT"),
        ("tokens_cached", "BIGINT"),
        ("cost", "DOUBLE"),
        ("latency_seconds", "DOUBLE"),
        ("attempts", "INTEGER"),
        ("outcome", "TEXT"),
        ("call_key", "TEXT"),
    ],
}
"""What the writer fills in; `written` is set when the group commits."""

PRIMARY_KEY = {"result": 1, "model_call": 1, "observation": 1, "noun": 2, "ledger": 0}
"""How many leading columns make the key; 0 only appends."""
