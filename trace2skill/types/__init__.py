"""Floor 2: the records of the method, and the references that stages hand on."""
