"""Floor 5: what a model writes of lessons: a patch of the skill, or a first skill."""
