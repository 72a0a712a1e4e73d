"""The readers: one file a log format. A new format is a file here, whose class says in which turn it is asked."""
