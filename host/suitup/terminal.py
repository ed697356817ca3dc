"""What boards and files say, made fit to be shown: nobody has authenticated a board.

    plain(status)           the same with nothing in its texts that a terminal would obey
    last_line(traceback)    its last line, "" when there is none"""


def plain(item):
    """`item` (texts in maps, lists, tuples) without control characters but newlines and tabs."""
    if isinstance(item, str):
        return "".join(c if c.isprintable() or c in "\n\t" else "?" for c in item)
    if isinstance(item, dict):
        return {plain(key): plain(each) for key, each in item.items()}
    if isinstance(item, (list, tuple)):
        return type(item)(plain(each) for each in item)
    return item


def last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else ""
