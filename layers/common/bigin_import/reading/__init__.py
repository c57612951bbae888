"""A drop's bytes -> numbered rows."""
