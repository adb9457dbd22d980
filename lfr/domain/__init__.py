"""The field's nouns and rules. Pure Python: no Ray, no database, no web, no clock of its own."""
