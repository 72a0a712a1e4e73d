"""Floor 2: the nouns of the method, and the references that stages hand on."""
