"""Floor 2: Prefect tasks. Each wraps one step of the library; retries, caching, tags and run names live here."""
