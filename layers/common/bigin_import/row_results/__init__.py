"""Bigin's results and the rows that were sent -> result files."""
