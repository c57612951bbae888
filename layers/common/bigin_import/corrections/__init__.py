"""A corrected result file comes back."""
