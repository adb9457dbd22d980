"""Measuring a check for presentation attacks on printed and replayed faces that the simulator makes (D7)."""
