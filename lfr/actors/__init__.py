"""Thin Ray shells around plain objects, and the one context that starts and stops them."""
