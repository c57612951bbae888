"""What people read when an import closes: one self-contained page and one notice. Pure."""
