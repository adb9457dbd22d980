"""Parts of a document that are made from code or from what tests showed, each between two marks."""

from __future__ import annotations


def with_part(text: str, name: str, part: str) -> str:
    """The document with another text between the marks of that name. Raises ValueError when they are not there."""
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"the document has lost its marks {begin} and {end}")
    return f"{before}{begin}\n\n{part.strip()}\n\n{end}{after}"
