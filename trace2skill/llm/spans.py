"""Spans of model calls for whoever has a collector: OpenTelemetry, by the conventions for generative AI.

https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/. Without the SDK, or without an address to send to, a
span costs nothing and goes nowhere. What is said to a model and what it answers is never in a span.
"""

import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.util.types import AttributeValue

from trace2skill.core.step_label import StepLabel
from trace2skill.llm.request import Answer, Request

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


@contextmanager
def call_span(request: Request, *, run_id: str, step: StepLabel) -> Iterator["Told"]:
    """A span around one call, with all its tries. An exception ends it as an error of that type."""
    model = request.settings.name
    with _tracer().start_as_current_span(f"chat {model}", kind=trace.SpanKind.CLIENT) as span:
        known: dict[str, AttributeValue | None] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": model.partition("/")[0],
            "gen_ai.request.model": model,
            "gen_ai.request.max_tokens": request.settings.max_tokens,
            "gen_ai.request.temperature": request.settings.temperature,
            "gen_ai.request.top_p": request.settings.top_p,
            "gen_ai.request.seed": request.seed,
            "trace2skill.run": run_id,
            "trace2skill.step": str(step),
            "trace2skill.stage": step.stage,
            "trace2skill.role": request.role,
        }
        span.set_attributes({name: value for name, value in known.items() if value is not None})
        try:
            yield Told(span)
        except Exception as error:
            span.set_attribute("error.type", type(error).__name__)
            raise


class Told:
    """What a call tells its span."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def answered(self, answer: Answer, *, tries: int) -> None:
        """The call was answered, after so many tries; none when the store remembered the answer."""
        self._span.set_attributes(
            {
                "gen_ai.usage.input_tokens": answer.usage.prompt,
                "gen_ai.usage.output_tokens": answer.usage.completion,
                "gen_ai.response.finish_reasons": [answer.finish],
                "trace2skill.cost_usd": answer.usage.cost if tries else 0.0,
                "trace2skill.tries": tries,
                "trace2skill.from_memory": tries == 0,
            }
        )


@functools.cache
def _tracer() -> trace.Tracer:
    """The tracer. Sends to the collector of the environment where there is one and nobody set a provider up."""
    wanted = any(os.environ.get(name) for name in ENDPOINTS)
    if wanted and isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        _send_to_collector()
    return trace.get_tracer("trace2skill")


def _send_to_collector() -> None:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError:  # the extra `otel` is not installed
        return
    provider = TracerProvider(resource=Resource.create({"service.name": "trace2skill"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
