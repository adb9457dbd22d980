"""Exact open-set search: gallery, fusion, threshold."""
