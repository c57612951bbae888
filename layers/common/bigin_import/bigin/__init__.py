"""The only package that speaks HTTP: data centres, token endpoint and Bulk Write API of Bigin."""
