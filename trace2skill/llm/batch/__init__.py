"""Many calls at once through a provider's batch API, mostly at half the price and within a day.

An answer out of a batch is the answer of that call: it is kept under the call's key, and whoever asks finds it there.
"""
