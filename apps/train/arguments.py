# SPDX-License-Identifier: Apache-2.0
"""Types of options that say what they expect."""

import argparse
import math
from pathlib import Path
from typing import Any, Callable, Tuple

Parse = Callable[[str], Any]


def checked(kind: Parse, holds: Callable[[Any], bool], expected: str) -> Parse:
    """What `kind` makes of a text, if it `holds`."""

    def parse(text: str) -> Any:
        try:
            value = kind(text)
            good = holds(value)
        except ValueError:
            good = False
        if not good:
            raise argparse.ArgumentTypeError(f"'{text}', expected {expected}")
        return value

    return parse


def whole(least: int) -> Parse:
    return checked(int, lambda v: v >= least, f"a whole number of at least {least}")


def weights(count: int) -> Parse:
    """So many numbers with commas."""

    def split(text: str) -> Tuple[float, ...]:
        return tuple(float(v) for v in text.split(","))

    return checked(split, lambda w: len(w) == count and min(w) >= 0 and 0 < sum(w) < math.inf,
                   f"{count} numbers with commas, none below 0, not all 0")


POSITIVE = checked(float, lambda v: 0 < v < math.inf, "a number above 0")
NOT_NEGATIVE = checked(float, lambda v: 0 <= v < math.inf, "a number of at least 0")
SHARE = checked(float, lambda v: 0 <= v <= 1, "a number from 0 to 1")
NEW_FILE = checked(Path, lambda p: p.parent.is_dir(), "a file in a folder that exists")
