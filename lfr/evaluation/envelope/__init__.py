"""The envelope finder: in which conditions of the picture a pack finds whom it should (C5)."""
