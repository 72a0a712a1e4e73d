"""The store of an address, by its kind."""

from collections.abc import Callable, Mapping

from trace2skill.traces.stores.address import TraceStoreAddress
from trace2skill.traces.stores.base import TraceStore
from trace2skill.traces.stores.braintrust import BraintrustStore
from trace2skill.traces.stores.langfuse import LangfuseStore
from trace2skill.traces.stores.langsmith import LangSmithStore
from trace2skill.traces.stores.mlflow import MLflowStore
from trace2skill.traces.stores.phoenix import PhoenixStore

STORES: Mapping[str, Callable[[TraceStoreAddress], TraceStore]] = {
    "braintrust": BraintrustStore,
    "langfuse": LangfuseStore,
    "langsmith": LangSmithStore,
    "mlflow": MLflowStore,
    "phoenix": PhoenixStore,
}


def store_at(address: TraceStoreAddress) -> TraceStore:
    """The store, with the key of the environment. Nothing is asked yet.

    Raises:
        BadInput: the key is not whole, or this server may not have it.
    """
    return STORES[address.kind](address)
