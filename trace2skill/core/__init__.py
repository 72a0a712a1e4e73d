"""Floor 1: what every part shares and that knows of none: frozen models, digests, errors, money, progress."""
