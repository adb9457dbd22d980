"""Tables, the database and the vault."""
