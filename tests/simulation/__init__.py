"""Thousands of runs of the real use cases with crashes, lost answers and lost callbacks."""
