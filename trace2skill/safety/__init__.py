"""What keeps a skill clean: nothing of an answer gets into it."""
