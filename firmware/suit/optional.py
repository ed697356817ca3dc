# Parts that a board may leave out.
# MIT licence.
"""`optional(name)` is module `suit.<name>`, loaded now, or None when its file is not on this
board. A file that is there but cannot be loaded raises ImportError: a fault must not look like an
absence."""


def optional(name):
    try:
        # both interpreters return the module itself when the list of names is not empty
        return __import__("suit." + name, None, None, (name,))
    except ImportError as error:
        # CPython names the module in full, MicroPython too
        if str(error).strip("'\"").endswith("suit." + name) or ("'suit." + name + "'") in str(
            error
        ):
            return None
        raise
