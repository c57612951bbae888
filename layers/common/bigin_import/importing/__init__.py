"""Use cases of import_csv: a drop and its mapping -> parts -> jobs, and what a person decides."""
