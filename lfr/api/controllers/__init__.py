"""The routes, one controller per noun."""
