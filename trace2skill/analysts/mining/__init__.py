"""The miner: rules from many sessions without a model: those that distinguish, or that worked several times."""

from trace2skill.analysts.mining.miner import extractions, mining
from trace2skill.analysts.mining.rule import MinedRule, Mining, Witness
from trace2skill.analysts.mining.signs import Signs, SignsRead, signs_of

__all__ = ["MinedRule", "Mining", "Signs", "SignsRead", "Witness", "extractions", "mining", "signs_of"]
