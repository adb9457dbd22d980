"""The verifiable record: what an entry is, how its bytes are fixed. No database, no Ray, no web."""
