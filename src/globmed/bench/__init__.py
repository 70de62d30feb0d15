"""From replies to numbers: tasks, asking, reading, scoring, analysis, report."""
