"""The only package that touches boto3. Clients are passed in, so importing it needs no AWS."""
