"""Questions on tables, in the layout and by the rule of WikiTableQuestions (https://ppasupat.github.io/WikiTableQuestions)."""

from trace2skill.domains.table_qa.domain import TableQuestions

__all__ = ["TableQuestions"]
