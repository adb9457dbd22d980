"""An evaluation as pages that people without statistics can read: HTML, PDF and the figures as JSON."""
