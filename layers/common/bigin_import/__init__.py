"""Rows of a CSV dropped in S3 become records in Bigin by Zoho CRM, and every row is accounted for."""
