"""Rows -> the parts that are sent, and what keeps a row from being sent."""
