"""The tables, as a list of migrations: the version of a store is how many of them it has had."""

import json

SUPPORT_SHAPE = json.dumps(
    {
        "rows": [
            {
                "file": "VARCHAR",
                "first": "BIGINT",
                "last": "BIGINT",
                "group": "VARCHAR",
                "support": {"trajectories": ["VARCHAR"], "tasks": ["VARCHAR"]},
                "opposing": ["VARCHAR"],
                "lessons": [
                    {
                        "trajectory_id": "VARCHAR",
                        "task_id": "VARCHAR",
                        "title": "VARCHAR",
                        "evidence": [{"first": "BIGINT", "last": "BIGINT"}],
                    }
                ],
                "stands_for": ["VARCHAR"],
                "path": ["VARCHAR"],
            }
        ]
    }
)
"""What the view `support` reads out of a `SupportLedger` (consolidate/ledger.py)."""

STAGE_OF_A_CALL = [
    # Steps were named 'rollout: 13-1 seed 41', 'draft S0', 'rewrite': the first word is the stage.
    "ALTER TABLE ledger ADD COLUMN stage TEXT",
    "ALTER TABLE ledger ADD COLUMN part TEXT",
    "ALTER TABLE ledger ADD COLUMN unit TEXT",
    "UPDATE ledger SET stage = split_part(split_part(step, ':', 1), ' ', 1), part = '', unit = ''",
]

EVIDENCE_STANDS = [
    # Where each task was placed, by its content; every judgement of a version, beside the one that stands.
    "CREATE TABLE place (plan TEXT, mark TEXT, name TEXT, split TEXT, written TIMESTAMP NOT NULL, "
    "PRIMARY KEY (plan, mark, name))",
    "CREATE TABLE judgement (name TEXT, digest TEXT, number INTEGER, run_id TEXT, champion TEXT, decision TEXT, "
    "written TIMESTAMP NOT NULL, PRIMARY KEY (name, digest, number))",
    "INSERT INTO judgement SELECT name, digest, 1, run_id, parent, decision, written FROM version WHERE decision <> ''",
]

LOOKS_ARE_PAID = [
    # Under which champion a look was taken, by the number of the change that made it one; what it cost, as a share of
    # the level, and what was left; whether it promoted. Looks of before have none of these.
    "ALTER TABLE look ADD COLUMN reign INTEGER",
    "ALTER TABLE look ADD COLUMN cost DOUBLE",
    "ALTER TABLE look ADD COLUMN remaining DOUBLE",
    "ALTER TABLE look ADD COLUMN won BOOLEAN",
]

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
    [
        # The support ledger as a table: a row for each range of lines of each version of a skill.
        "CREATE VIEW support AS SELECT id AS skill, r.file, r.first, r.last, r.group, r.support.trajectories AS "
        "supporting, r.opposing, r.support.tasks, r.lessons, r.stands_for, r.path AS merge_path FROM "
        f"(SELECT id, unnest(from_json(value, '{SUPPORT_SHAPE}').rows) AS r FROM noun WHERE kind = 'support')",
    ],
    [
        # Versions of skills, what happened to the champion, looks at the held-out tasks, openings of the test split.
        "CREATE TABLE version (name TEXT, digest TEXT, parent TEXT, run_id TEXT, state TEXT, decision TEXT, "
        "author TEXT, number INTEGER, written TIMESTAMP NOT NULL, PRIMARY KEY (name, digest))",
        "CREATE TABLE champion (name TEXT, number INTEGER, kind TEXT, digest TEXT, previous TEXT, run_id TEXT, "
        "reason TEXT, done BOOLEAN, written TIMESTAMP NOT NULL, PRIMARY KEY (name, number))",
        "CREATE TABLE look (name TEXT, champion TEXT, key TEXT, number INTEGER, written TIMESTAMP NOT NULL, "
        "PRIMARY KEY (name, champion, key))",
        "CREATE TABLE opening (data TEXT, number INTEGER, reason TEXT, written TIMESTAMP NOT NULL, "
        "PRIMARY KEY (data, number))",
    ],
    STAGE_OF_A_CALL,
    EVIDENCE_STANDS,
    LOOKS_ARE_PAID,
]
VERSION = len(MIGRATIONS)


def _in_postgres(statement: str) -> str:
    return statement.replace(" BLOB ", " BYTEA ").replace(" DOUBLE", " DOUBLE PRECISION")


POSTGRES_MIGRATIONS: list[list[str]] = [
    [*map(_in_postgres, MIGRATIONS[0]), "ALTER TABLE ledger ADD COLUMN seq BIGSERIAL"],
    [
        "CREATE VIEW support AS SELECT id AS skill, r->>'file' AS file, (r->>'first')::BIGINT AS first, "
        "(r->>'last')::BIGINT AS last, r->>'group' AS \"group\", r->'support'->'trajectories' AS supporting, "
        "r->'opposing' AS opposing, r->'support'->'tasks' AS tasks, r->'lessons' AS lessons, "
        "r->'stands_for' AS stands_for, r->'path' AS merge_path FROM noun, "
        "jsonb_array_elements(value::JSONB->'rows') AS r WHERE kind = 'support'",
    ],
    MIGRATIONS[2],
    [
        # Turns and reservations that hold between processes. A holder is a process; what it holds ends with it.
        "CREATE TABLE holder (id TEXT PRIMARY KEY, until TIMESTAMP NOT NULL)",
        "CREATE TABLE lease (key TEXT PRIMARY KEY, holder TEXT NOT NULL)",
        "CREATE TABLE purse (name TEXT PRIMARY KEY, spent BIGINT NOT NULL, reserved BIGINT NOT NULL)",
        "CREATE TABLE reservation (id TEXT PRIMARY KEY, holder TEXT NOT NULL, amount BIGINT NOT NULL, "
        "purses TEXT NOT NULL)",
        "CREATE INDEX ledger_by_run ON ledger (run_id)",
    ],
    STAGE_OF_A_CALL,
    EVIDENCE_STANDS,
    [*map(_in_postgres, LOOKS_ARE_PAID)],
]
"""The same tables in PostgreSQL, and those that only processes which share a store need."""

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
        ("stage", "TEXT"),
        ("part", "TEXT"),
        ("unit", "TEXT"),
    ],
}
"""What the writer fills in; `written` is set when the group commits."""

PRIMARY_KEY = {"result": 1, "model_call": 1, "observation": 1, "noun": 2, "ledger": 0}
"""How many leading columns make the key; 0 only appends."""
