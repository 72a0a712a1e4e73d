"""Floor 3: every version of a skill, who is champion, and the looks that decided it."""
