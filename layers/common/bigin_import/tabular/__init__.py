"""Bytes and rows: reading the drop, cutting it into parts, joining Bigin's answers. Pure."""
