"""The only room that speaks HTTP: Bigin's data centres, its token endpoint and its Bulk Write API."""
