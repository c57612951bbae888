"""The sidecar mapping: from JSON to a checked plan of columns. Pure: no clock, no network."""
