"""Imported by the process that those to be killed are forked from: what they would all import and make first."""

import in_process  # noqa: F401
from batch_server import BatchServer

from trace2skill.llm import ModelSettings, Request, transport
from trace2skill.llm.batch.lines import line_of
from trace2skill.llm.batch.provider import BatchApi
from trace2skill.runs.report import page  # noqa: F401
from trace2skill.safety.screening import screened

transport.litellm()
model = ModelSettings.model_validate({**BatchServer().model(), "api_base": "http://127.0.0.1:9/v1", "attempts": 1})
line_of(Request(role="analyst", settings=model, messages=({"role": "user", "content": "?"},)))
BatchApi(model).cancel("none")
screened("Round up.")
