"""Floor 2: Prefect tasks. Each wraps one step of the library; retries, caching, tags and run names live here."""

# A worker looks the results block up by its type, which Prefect knows once this module is imported.
from tasks.results import StoreResults
from tasks.serializer import FormSerializer

__all__ = ["FormSerializer", "StoreResults"]
