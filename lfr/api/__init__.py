"""The control and review API, and the pages: Litestar, Jinja, no build step."""
