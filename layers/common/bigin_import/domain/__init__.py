"""What the ledger remembers, and the values that the packages pass each other. Pure."""
