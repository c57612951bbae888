"""What was dropped before: contents that are claimed, and rows that are in Bigin already."""
