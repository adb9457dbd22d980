"""The use cases, one noun per module. The only place where a transaction is opened."""
