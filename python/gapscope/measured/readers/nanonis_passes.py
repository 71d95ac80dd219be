"""Multipass scans of Nanonis: what every pass was taken at, of its table in the header."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from gapscope.measured.readers.limits import missing, number

TABLE = "Multipass-Config"
PASS = re.compile(r"\[P(\d{1,3})\]|(?<![A-Za-z0-9])P(?:ass)?[ _]?(\d{1,3})(?![A-Za-z0-9])")
"""How a channel names its pass: ``[P2]_Current``."""

Conditions = dict[str, float | str]


@dataclass(frozen=True)
class Passes:
    """The table's rows: pass 1 forward, pass 1 backward, pass 2 forward, ...; or one for each pass.

    Parameters
    ----------
    rows : the columns of each row by name.
    common : bias in mV and current in pA of the whole scan, which a pass may override.
    holds_current : whether the feedback holds a current.
    """

    rows: Sequence[dict[str, str]]
    common: Conditions
    holds_current: bool

    def of(self, names: Sequence[str]) -> list[int]:
        """The number of the pass of every channel, from 1.

        Where no name says it and all names come once for each pass, they come in its order. A
        channel that says nothing belongs to the first pass.
        """
        said = [PASS.search(name) for name in names]
        most = set(Counter(names).values())
        if not any(said) and len(most) == 1 and most <= {len(self.rows) // 2, len(self.rows)}:
            return [names[: i + 1].count(name) for i, name in enumerate(names)]
        return [1 if one is None else int(one[1] or one[2]) for one in said]

    def conditions(self, number_of_pass: int, passes: int, backward: bool) -> Conditions:
        """A channel's conditions: pass, bias, the current that is held, height offset in nm.

        A pass that plays a recorded height back holds no current. A table with as many rows as
        there are passes has one for both directions.

        Raises
        ------
        MeasurementFileError : no such pass in the table, or a column that is none.
        """
        each = 1 if passes == len(self.rows) else 2
        at = each * (number_of_pass - 1) + (backward if each == 2 else 0)
        if not 0 <= at < len(self.rows) or each * passes > len(self.rows):
            kind = f"a table with two rows for each pass; the channels have {passes} passes"
            raise missing({TABLE: f"{len(self.rows)} rows"}, TABLE, kind)
        row = self.rows[at]
        found: Conditions = {"pass": number_of_pass, **self.common}
        if _is_on(row, "Bias_override"):
            found["bias"] = number(row, "Bias_override_value") * 1e3
        if _is_on(row, "Playback"):
            found.pop("current", None)
            found["feedback"] = "off"
            if row.get("Playback-Offset", "").strip():
                found["height_offset"] = number(row, "Playback-Offset") * 1e9
        elif _is_on(row, "Z_Setp_override") and found.get("feedback") != "off":
            found.pop("current", None)
            if self.holds_current:
                found["current"] = number(row, "Z_Setp_override_value") * 1e12
        return found


def _is_on(row: dict[str, str], key: str) -> bool:
    return row.get(key, "").strip().lower() in ("true", "1", "on")
