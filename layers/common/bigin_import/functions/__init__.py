"""What Lambda invokes: a handler parses, calls one use case, and maps its result."""
