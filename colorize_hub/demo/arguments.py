"""What programs and pages send, checked: a value, or a sentence that says what was expected."""

import reprlib
from typing import TypeGuard

LARGEST = 2**53  # of whole numbers that JavaScript keeps exact


class RequestError(ValueError):
    """What was asked for cannot be done; the message, for the visitor, says what was expected."""


def number(value: object, name: str, least: float, most: float) -> float:
    """Return the value, a number in the range.

    Raises:
        RequestError: it is not.
    """
    if not _is_number(value) or not least <= value <= most:  # also false for NaN
        raise RequestError(f"{name} must be a number {least:g}..{most:g}, got {shown(value)}.")
    return value


def whole(value: object, name: str, least: int, most: int = LARGEST) -> int:
    """Return the value, a whole number in the range; 3.0 is one too.

    Raises:
        RequestError: it is not.
    """
    if not _is_number(value) or not least <= value <= most or value != int(value):
        raise RequestError(f"{name} must be a whole number {least}..{most}, got {shown(value)}.")
    return int(value)


def color(value: object, name: str) -> tuple[int, int, int]:
    """Return the value, a list of three numbers 0..255, as whole numbers.

    Raises:
        RequestError: it is not.
    """
    if not isinstance(value, list) or len(value) != 3:
        raise RequestError(f"{name} must be three numbers 0..255, got {shown(value)}.")
    r, g, b = (round(number(part, name, 0, 255)) for part in value)
    return r, g, b


def text(value: object, name: str, most: int) -> str:
    """Return the value, a text; nothing at all is an empty one.

    Args:
        value: to check.
        name: for the message.
        most: characters.

    Raises:
        RequestError: it is of another kind, or longer.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RequestError(f"{name} must be text, got {shown(value)}.")
    if len(value) > most:
        raise RequestError(f"{name} has {len(value)} characters; at most {most} are taken.")
    return value


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def shown(value: object) -> str:
    """Return a value as a message can quote it."""
    return reprlib.repr(value)
