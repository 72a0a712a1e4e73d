"""The mistakes that the simulated agent makes, by kind of task, and what prevents each."""
