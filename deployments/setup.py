"""Register the result storage on the Prefect server in use. Once per server, before the first deployment runs."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tasks.results import BLOCK_NAME, StoreResults

if __name__ == "__main__":
    StoreResults.register_type_and_schema()
    StoreResults().save(BLOCK_NAME, overwrite=True)
    sys.stdout.write(f"saved block trace2skill-results/{BLOCK_NAME}\n")
