"""Questions on images of pages, as in DocVQA."""

from trace2skill.domains.document_qa.domain import DocumentQA

__all__ = ["DocumentQA"]
