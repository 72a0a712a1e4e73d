"""Floor 2: a skill directory, its Markdown sections, and the placing and applying of edits."""
