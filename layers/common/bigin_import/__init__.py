"""Rows of a CSV dropped in S3 become records in Bigin; every row is accounted for."""
