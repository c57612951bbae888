"""`make demo`: real files through the real template into the local Bigin, and the proof of it."""
