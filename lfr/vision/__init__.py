"""Pixels to templates."""
