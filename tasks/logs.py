"""The product's own log lines, for the UI: they go where Prefect's go, from the same level on."""

import logging

from prefect.settings import PREFECT_LOGGING_EXTRA_LOGGERS, PREFECT_LOGGING_LEVEL

LOGGER = "trace2skill"


def let_through() -> None:
    """Give the product's logger Prefect's level where Prefect sends it to the server.

    Prefect adds its handler to an extra logger and leaves the level to the root's, which lets only warnings through.
    """
    logger = logging.getLogger(LOGGER)
    if LOGGER in PREFECT_LOGGING_EXTRA_LOGGERS.value() and logger.level == logging.NOTSET:
        logger.setLevel(PREFECT_LOGGING_LEVEL.value())
