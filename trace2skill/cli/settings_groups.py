"""Which options go together: the groups that the commands are put together from."""

DATA = ("data", "domain", "domain_option", "skill", "tasks", "split", "split_seed", "recalculate")
LOGS = ("sources", "labels", "source_analyst", "judge", "format", "hold_out", "redaction_map")
MODEL = (
    "model",
    "temperature",
    "top_p",
    "reasoning_effort",
    "api_base",
    "price",
    "batch_price",
    "max_tokens",
    "context",
    "tools",
    "answers",
    "vision",
    "handoff_seconds",
    "timeout_seconds",
    "attempts",
    "patience_seconds",
    "requests_per_minute",
    "tokens_per_minute",
)
ROLES = ("agent_model", "analyst_model", "merger_model")
AGENT = ("seed", "seeds", "harness", "agent_command", "agent_set", "max_turns", "sandbox", "environment")
MAKING = (
    "analysts",
    "error_analyst",
    "allow_scripts",
    "allow_description",
    "fan_in",
    "merge_tokens",
    "memory",
    "new_evidence",
    "main_from",
    "reference_from",
    "most_lines",
    "most_body_tokens",
    "most_reference_lines",
    "polish",
    "second_look",
    "forget_after",
)
SCRIPTS = ("scripts", "script_sources", "script_unseen", "most_scripts")
SHRINKING = ("shrink", "shrink_tasks", "shorten")
CHOOSING = ("candidates", "rounds", "replay", "moving_seeds", "night", "spread", "canaries", "rollouts", "select")
GATE = (
    "level",
    "margin",
    "coverage",
    "score",
    "no_regression",
    "most_tokens_ratio",
    "most_skill_tokens",
    "shrink_loss",
    "spend",
)
SCORING = ("evaluate", "held_out_seeds", "no_skill", "repeat_champion", *GATE)
MONEY = ("max_cost", "max_cost_per_month")
OPERATION = (
    "workers",
    "store",
    "store_wait_seconds",
    "output",
    "max_failed_share",
    "max_failed",
    "step_seconds",
    "limits_held",
    "shards",
    "runner",
    "reports_at",
)
BATCH = ("batch", "batch_hours", "batch_rest")
PROMOTING = ("promote", "approval_hours", "forge", "forge_api")
BOTH_SEEDS = ("learning.seeds", "gate.held_out_seeds")
"""What --seeds sets where a command scores, or draws no line between learning and scoring."""

RUN = (
    *(
        *DATA,
        *LOGS,
        *MODEL,
        *ROLES,
        *AGENT,
        *MAKING,
        *SCRIPTS,
        *CHOOSING,
        *SHRINKING,
        *SCORING,
        *MONEY,
        *PROMOTING,
        *OPERATION,
    ),
    *BATCH,
)
ROLLOUT = (*DATA, *MODEL, *ROLES, *AGENT, *MONEY, *OPERATION)
DISTILL = (*DATA, *LOGS, *MODEL, *ROLES, *AGENT, *MAKING, *SCRIPTS, *CHOOSING, *MONEY, *OPERATION, *BATCH)
EVALUATE = tuple("division" if name == "split" else name for name in ROLLOUT)
DRIFT = (*ROLLOUT, "level", "coverage", "score")
SHRINK = (*ROLLOUT, *SHRINKING, "held_out_seeds", *GATE, "promote")
ABLATE = (*GATE, *MONEY, *OPERATION)
DEMO = ("model", "sandbox", *MONEY, "workers", "store", "output")
INGEST = (
    *("labels", "format", "hold_out", "skill", "judge", "redaction_map"),
    *MODEL,
    *ROLES,
    *(
        "harness",
        "agent_command",
        "agent_set",
        "max_turns",
        "sandbox",
        "environment",
        "held_out_seeds",
        "no_skill",
        *GATE,
    ),
    *MAKING[2:],
    *MONEY,
    *PROMOTING,
    *OPERATION,
    *BATCH,
)
