"""A page as a person reads it, for a terminal: its words, its fields, its buttons."""

from __future__ import annotations

from html.parser import HTMLParser

LINES = {"h1", "h2", "p", "li", "div", "tr", "dt", "label", "legend", "button", "footer", "form", "table", "br", "pre"}
CELLS = {"dd", "td"}
SILENT = {"head", "script", "style"}
EMPTY = {"br", "input", "meta", "link", "hr", "img", "base"}


class Page(HTMLParser):
    """What a page says (`lines`), and what its form would send without being filled in (`values`)."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.values: dict[str, str] = {}
        self._line, self._open = "", list[tuple[str, bool]]()
        self.feed(html)
        self._end_line()

    @property
    def _silent(self) -> bool:
        return any(silent for _, silent in self._open)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a line where a browser would, and note the fields."""
        found = dict(attrs)
        if tag in LINES:
            self._end_line()
        if tag in CELLS:
            self._line = f"{self._line.rstrip()}: "
        if tag == "input" and found.get("type") == "hidden":
            self.values[found.get("name") or ""] = found.get("value") or ""
        if tag not in EMPTY:
            self._open.append((tag, tag in SILENT or found.get("aria-hidden") == "true"))
        if not self._silent:
            self._line += {"button": "[ ", "li": "- "}.get(tag, "")

    def handle_endtag(self, tag: str) -> None:
        """End what was begun."""
        if tag == "button" and not self._silent:
            self._line = f"{self._line.rstrip()} ]"
        if tag == "textarea" and not self._silent:
            self._line += " ____________"
        while self._open and self._open.pop()[0] != tag:
            pass
        if tag in LINES - {"dt"}:  # what is said of it follows
            self._end_line()

    def handle_data(self, data: str) -> None:
        """Keep words, with one blank between them."""
        if not self._silent:
            words = " ".join(data.split())
            before = " " if data[:1].isspace() and self._line and not self._line.endswith(" ") else ""
            after = " " if words and data[-1:].isspace() else ""
            self._line += f"{before}{words}{after}"

    def _end_line(self) -> None:
        if self._line.strip():
            self.lines.append(self._line.strip())
        self._line = ""
