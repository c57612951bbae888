"""Taking an import back: what it added is shown, confirmed by a person, and deleted."""
