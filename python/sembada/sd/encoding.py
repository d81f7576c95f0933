"""The text of a model file, whatever its encoding."""

from __future__ import annotations

import codecs
import re

from sembada.errors import ModelFileError

__all__ = ["decode"]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Vensim writes {UTF-8} in the first line; XML declares its encoding.
_DECLARED = re.compile(rb"\A\s*\{([A-Za-z][A-Za-z0-9_-]*)\}|\A\s*<\?xml[^>]*encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")


def decode(raw: bytes, path: str = "", encoding: str | None = None) -> str:
    """Return the text of a file.

    A byte-order mark decides, then what the file declares, then UTF-8 where it is valid, then Windows-1252, which
    older versions of Vensim wrote.

    Parameters
    ----------
    raw
        The bytes of the file.
    path
        Its name, for messages.
    encoding
        Taken in place of all that.

    Raises
    ------
    ModelFileError
        If the bytes are not of the encoding that was asked for or declared.

    Examples
    --------
    >>> decode("café".encode("cp1252"))
    'café'
    """
    if encoding is not None:
        return _strictly(raw, encoding, path, "asked for")
    for mark, name in _MARKS:
        if raw.startswith(mark):
            return _strictly(raw, name, path, "marked by its first bytes").removeprefix("\ufeff")
    match = _DECLARED.match(raw[:200])
    declared = (match.group(1) or match.group(2)).decode("ascii") if match else None
    for candidate in (declared, "utf-8"):
        if candidate is not None:
            try:
                return raw.decode(candidate)
            except (UnicodeDecodeError, LookupError):
                continue
    # Five byte values have no sign in Windows-1252; Latin-1 has one for each.
    try:
        return raw.decode("cp1252")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _strictly(raw: bytes, encoding: str, path: str, why: str) -> str:
    try:
        return raw.decode(encoding)
    except LookupError:
        raise ModelFileError(
            f"{path or 'model file'}: encoding {encoding!r} ({why}) is not known", {"path": path, "encoding": encoding}
        ) from None
    except UnicodeDecodeError as error:
        raise ModelFileError(
            f"{path or 'model file'}: byte {error.start} ({raw[error.start]:#04x}) is not {encoding} ({why}); "
            "give the right one with encoding=",
            {"path": path, "encoding": encoding, "byte": error.start},
        ) from error
