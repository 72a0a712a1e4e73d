"""The only client to a model.

`ModelSettings` says which model and how; `Client.complete` sends one request and remembers the answer; `ask` gets a
structured answer. LiteLLM is imported by `transport` alone, and only when the first call is made.
"""

from trace2skill.llm.client import Client
from trace2skill.llm.embedding import Embedding, EmbeddingRequest
from trace2skill.llm.request import Answer, Request, ToolSpec
from trace2skill.llm.settings import ModelSettings, Role, Roles
from trace2skill.llm.structured import ask

__all__ = [
    "Answer",
    "Client",
    "Embedding",
    "EmbeddingRequest",
    "ModelSettings",
    "Request",
    "Role",
    "Roles",
    "ToolSpec",
    "ask",
]
