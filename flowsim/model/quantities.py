"""Parsing of single values of the model language: numbers, shares, lengths of time, dates and hours.

Each `parse_...` takes what stands in the file (text, a number or true/false, as `reading` left it) and
returns the value, or raises ValueError with a message that says what would be right. They serve as validators
of the schema.
Names have their own file, `names`.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from fractions import Fraction

from flowsim.errors import is_odd, show
from flowsim.model.names import describe, near, parse_name, parse_text

__all__ = [
    "Day", "explain_number", "is_number", "near", "number_of", "parse_age_band", "parse_capacity",
    "parse_count", "parse_date", "parse_datetime", "parse_days", "parse_duration", "parse_hours",
    "parse_name", "parse_number", "parse_point", "parse_positive", "parse_share", "parse_text",
    "parse_time_of_day", "parse_whole", "parse_whole_duration",
]  # fmt: skip

Day = date
INT64 = 2**63 - 1
EXACT = 2**53
"""The largest whole number that a float keeps exactly; also the longest length of time, in milliseconds."""
LARGEST_COUNT = 10**9
DAY_MS = 86_400_000
UNITS_MS: Mapping[str, int] = {
    "millisecond": 1,
    "second": 1000,
    "minute": 60_000,
    "hour": 3_600_000,
    "day": DAY_MS,
    "week": 7 * DAY_MS,
    "month": 365 * DAY_MS // 12,
    "year": 365 * DAY_MS,
}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_INTEGER = re.compile(r"[-+]?[0-9]+")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9].*")
_THOUSANDS = re.compile(r"[-+]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?")
_DECIMAL_COMMA = re.compile(r"[-+]?[0-9]*,[0-9]+")
_GROUPED = re.compile(r"[-+]?[0-9]{1,3}(([ '\u2019]|[^\S\n])[0-9]{3})+(\.[0-9]+)?")
_UNDERSCORED = re.compile(r"[-+]?[0-9][0-9_.]*_[0-9_.]*")
_PERCENT = re.compile(r"([-+]?[0-9]*\.?[0-9]+)\s*(%|per ?cent)")
_OTHER_BASE = re.compile(r"[-+]?0[xXoObB][0-9a-fA-F_]+")
_NOT_FINITE = re.compile(r"[-+]?\.?(nan|inf|infinity)", re.IGNORECASE)
_MONEY = re.compile(r"[£$€]\s*([0-9][0-9,.]*)")
_LENGTH = re.compile(r"([-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,2})?)(\s*)(.*)", re.DOTALL)


# ---- numbers ----


def number_of(text: str) -> int | float:
    """The number that a text is, as YAML 1.2 writes decimal numbers: `24`, `0.5`, `.5`, `1e3`.

    Raises ValueError where the text is no such number, or one that cannot be kept as written.
    """
    hint = explain_number(text)
    if hint:
        raise ValueError(hint)
    if not _NUMBER.fullmatch(text):
        raise ValueError("must be a number")
    return int(text) if _INTEGER.fullmatch(text) else float(text)


def is_number(text: str) -> bool:
    """Whether a text is written as a decimal number."""
    return _NUMBER.fullmatch(text) is not None


def explain_number(text: str) -> str:
    """Why a text that looks like a number cannot be taken as one; empty if it can, or does not look so."""
    if _NUMBER.fullmatch(text):
        return _explain_plain(text)
    if _NOT_FINITE.fullmatch(text):
        return "must be a finite number; for no limit leave the key out"
    if _PERCENT.fullmatch(text):
        return f"percent signs are not read: write {_hundredth(text)}"
    if _OTHER_BASE.fullmatch(text):
        return "must be an ordinary decimal number (quote it if it is a code or a name)"
    if _THOUSANDS.fullmatch(text):
        return f"write {text.replace(',', '')}, without a comma for thousands"
    if _DECIMAL_COMMA.fullmatch(text):
        return f"write {text.replace(',', '.')}, with a decimal point"
    if _UNDERSCORED.fullmatch(text):
        return f"write {text.replace('_', '')}, without underscores"
    if _GROUPED.fullmatch(text):
        return f"write {re.sub('[^0-9.+-]', '', text)}, without a gap for thousands{_odd_remark(text)}"
    if money := _MONEY.fullmatch(text):
        return f"write {money[1].replace(',', '')}, without a currency sign"
    return _explain_foreign(text)


def _explain_plain(text: str) -> str:
    if _LEADING_ZERO.fullmatch(text):
        plain = text.lstrip("+-0") or "0"
        plain = "0" + plain if plain.startswith((".", "e", "E")) else plain
        comma = ", thousands have no comma" if len(text) == 3 and text.isdigit() else ""
        return f"a number has no leading zeros{comma}: write {shown(plain)}, or quote it if it is a code"
    if _INTEGER.fullmatch(text):
        # The length comes first: Python refuses to convert very long digits.
        if len(text) > 20 or abs(int(text)) > INT64:
            return "too large: whole numbers reach 9223372036854775807"
        return "write 0, without a minus" if text.startswith("-") and int(text) == 0 else ""
    value = float(text)
    if math.isinf(value):
        return "too large: numbers reach 1.7e308"
    if value == 0 and re.search(r"[1-9]", re.split("[eE]", text)[0]):
        return "too close to 0 to be kept: write 0"
    return "write 0, without a minus" if value == 0 and text.startswith("-") else ""


def _explain_foreign(text: str) -> str:
    if text.isascii() or len(text) > 100:
        return ""
    plain = unicodedata.normalize("NFKC", text).replace("\u2212", "-").replace("\u2013", "-")
    plain = "".join(str(unicodedata.decimal(c, c)) for c in plain)
    if _NUMBER.fullmatch(plain) or _NUMBER.fullmatch(plain.strip()):
        odd = next(c for c in text if not c.isascii())
        return f"write {plain.strip()} in ordinary characters ({describe(odd)} is not one)"
    return ""


def shown(text: str) -> str:
    """A text inside a message: escaped and short, without quotes."""
    return show(text)[1:-1]


def _odd_remark(text: str) -> str:
    odd = next((c for c in text if is_odd(c)), None)
    return f" ({describe(odd)} stands there)" if odd else ""


def _hundredth(text: str) -> str:
    number = text.split("%")[0].split("p")[0].strip()
    return f"{float(Fraction(number) / 100):g}" if len(number) < 30 else "a share between 0 and 1"


def parse_number(value: object) -> float:
    """A finite number. Whole numbers are fine where they are kept exactly."""
    if isinstance(value, bool):
        raise ValueError("must be a number, not true or false")
    if isinstance(value, str):
        raise ValueError(_not_a_number(value))
    if not isinstance(value, int | float):
        raise ValueError(f"must be a number, not {_kind(value)}")
    if isinstance(value, int) and abs(value) > EXACT:
        raise ValueError("too large to be kept exactly: numbers reach 9007199254740992")
    if not math.isfinite(value):
        raise ValueError("must be a finite number; for no limit leave the key out")
    if value == 0 and math.copysign(1, value) < 0:
        raise ValueError("write 0, without a minus")
    return float(value)


def parse_positive(value: object) -> float:
    """A finite number above 0."""
    number = parse_number(value)
    if number <= 0:
        raise ValueError("must be more than 0")
    return number


def parse_share(value: object) -> float:
    """A share or probability, from 0 to 1."""
    if isinstance(value, float) and 0.0 < value <= 1.0:  # nothing to explain: quick, for a table may have a million
        return value
    number = parse_number(value)
    if 0 <= number <= 1:
        return number
    if 1 < number <= 100:
        raise ValueError(f"must be a share from 0 to 1: write {number / 100:g} for {number:g} in a hundred")
    raise ValueError("must be a share from 0 to 1")


def parse_whole(value: object) -> int:
    """A whole number of at most 64 bits, with or without a minus."""
    if isinstance(value, bool):
        raise ValueError("must be a whole number, not true or false")
    if isinstance(value, str):
        raise ValueError(_not_a_number(value, "whole number"))
    if isinstance(value, float) and value.is_integer() and abs(value) <= EXACT:
        raise ValueError(f"must be a whole number: write {int(value)}")
    if not isinstance(value, int):
        raise ValueError("must be a whole number" + ("" if isinstance(value, float) else f", not {_kind(value)}"))
    if abs(value) > INT64:
        raise ValueError("too large: whole numbers reach 9223372036854775807")
    return value


def parse_count(value: object) -> int:
    """How many: a whole number from 0 to a thousand million."""
    number = parse_whole(value)
    if number < 0:
        raise ValueError("must be 0 or more")
    if number > LARGEST_COUNT:
        raise ValueError("must be at most 1000000000; for no limit use unlimited")
    return number


def _not_a_number(text: str, kind: str = "number") -> str:
    stripped = text.strip()
    if _NUMBER.fullmatch(stripped) and not _explain_plain(stripped):
        return f"must be a {kind}: write {stripped} without quotes, on the line of its key"
    if stripped.lower() in {"none", "null", "unlimited", "no limit"}:
        return f"must be a {kind}; for no limit leave the key out"
    return f"must be a {kind}: {hint}" if (hint := explain_number(text)) else f"must be a {kind}{_unit_remark(text)}"


def _unit_remark(text: str) -> str:
    match = _LENGTH.fullmatch(text)
    if match and re.fullmatch(r"[A-Za-z ]{1,20}", match[3]):
        return f", without a unit: write {shown(match[1])}"
    return ""


def _kind(value: object) -> str:
    return {dict: "a mapping", list: "a list", tuple: "a list", type(None): "empty"}.get(type(value), "other things")


# ---- lengths of time ----


def parse_duration(value: object) -> int | float:
    """A length of time in words (`30 minutes`, `1.5 days`) in milliseconds, exact; an int where it is whole.

    Months are 365/12 days and years 365 days. At most 2**53 ms, so that a float keeps it.
    """
    exact = _exact_ms(value)
    return exact.numerator if exact.denominator == 1 else float(exact)


def parse_whole_duration(value: object) -> int:
    """A length of time in words, as a whole number of milliseconds."""
    exact = _exact_ms(value)
    if exact.denominator != 1:
        raise ValueError("must be a whole number of milliseconds")
    return exact.numerator


def _exact_ms(value: object) -> Fraction:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"must be a length of time, such as 30 minutes, not {show(value) or 'empty'}")
    if not isinstance(value, str):
        raise ValueError(f"needs a unit of time: write {value} minutes, hours, days, weeks, months or years")
    match = _LENGTH.fullmatch(value)
    if match is None:
        limit = "; for no limit leave the key out" if value.lower() in {"none", "inf", "nan", "unlimited"} else ""
        hint = explain_number(value.partition(" ")[0])
        raise ValueError(f"must be a length of time, such as 30 minutes{': ' + hint if hint else ''}{limit}")
    number, gap, word = match.groups()
    unit = word.removesuffix("s") if word != "s" else word
    if unit not in UNITS_MS:
        if hint := explain_number(value.rpartition(" ")[0]):
            raise ValueError(f"must be a length of time: {hint}")
        raise ValueError(_unit_hint(number, word))
    if gap != " ":
        remark = _odd_remark(gap) or " with one space between"
        raise ValueError(f"write '{number} {word}'{remark}")
    if number.startswith("-"):
        raise ValueError("a length of time must be 0 or more")
    if len(number) > 40 or Fraction(number) * UNITS_MS[unit] > EXACT:
        raise ValueError("too long: lengths of time reach 2**53 milliseconds, about 285,000 years")
    if hint := _explain_plain(number):
        raise ValueError(f"must be a length of time: {hint}")
    return Fraction(number) * UNITS_MS[unit]


def _unit_hint(number: str, word: str) -> str:
    short = {
        "ms": "milliseconds", "s": "seconds", "sec": "seconds", "secs": "seconds", "m":
        "minutes or months", "min": "minutes", "mins": "minutes", "h": "hours", "hr": "hours", "hrs":
        "hours", "d": "days", "w": "weeks", "wk": "weeks", "wks": "weeks", "mo": "months", "mth":
        "months", "mths": "months", "y": "years", "yr": "years", "yrs": "years",
    }  # fmt: skip
    plain = word.strip().lower()
    if not plain:
        return f"needs a unit of time: write {shown(number)} minutes, hours, days, weeks, months or years"
    if plain in short or plain.removesuffix("s") in UNITS_MS:
        return f"write {shown(number)} {short.get(plain, plain)}"
    return f"{show(word)} is not a unit of time{near(word, [unit + 's' for unit in UNITS_MS])}"


# ---- dates, days and hours ----


def parse_date(value: object) -> date:
    """A date written YYYY-MM-DD, in the years 1900 to 2200."""
    if type(value) is date:
        return value
    if not isinstance(value, str):
        raise ValueError("must be a date, written like 2018-04-01" + _serial_remark(value))
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError("must be a date, written like 2018-04-01" + _date_hint(value))
    if not "1900" <= value[:4] <= "2200":
        raise ValueError("must be a date in the years 1900 to 2200")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError("there is no such day in the calendar") from None


def parse_datetime(value: object) -> datetime:
    """A date and time without a time zone: `2018-04-01 08:30`, with seconds and milliseconds if wanted."""
    if type(value) is datetime:
        return value
    right = "must be a date and time, written like 2018-04-01 08:30:00"
    if not isinstance(value, str):
        raise ValueError(right + _serial_remark(value))
    match = re.fullmatch(r"([0-9-]{10})[ T]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,3}))?)?", value)
    if match is None:
        raise ValueError(right + (" (with a time of day)" if _is_date(value) else _date_hint(value)))
    day, hour, minute, second, fraction = match.groups()
    on = parse_date(day)
    if int(hour) > 23 or int(minute) > 59 or int(second or 0) > 59:
        raise ValueError("there is no such time of day: times go from 00:00:00 to 23:59:59")
    parts = (int(hour), int(minute), int(second or 0), int((fraction or "0").ljust(3, "0")) * 1000)
    return datetime(on.year, on.month, on.day, *parts)


def _is_date(text: str) -> bool:
    return re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) is not None


def _serial_remark(value: object) -> str:
    """Spreadsheets count days from 30 December 1899; the guess is told, never used."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 15_000 < value < 80_000:
        return f" (a spreadsheet's {int(value)} would be {date(1899, 12, 30) + timedelta(days=int(value))})"
    return ""


def _date_hint(text: str) -> str:
    if re.fullmatch(r"[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{4}.*", text, re.DOTALL):
        return " (day and month cannot be told apart here)"
    if re.fullmatch(r"[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{2}", text):
        return ", with four digits for the year"
    if re.fullmatch(r"[0-9-]{10}[T ].*(Z|[+-][0-9]{2}:?[0-9]{2})", text):
        return ", without a time zone (model time has none)"
    if re.fullmatch(r"[0-9-]{10}[T ][0-9:.]+", text):
        return ", without a time of day"
    return _serial_remark(int(text)) if re.fullmatch(r"[0-9]{5}", text) else _odd_remark(text)


def parse_time_of_day(value: object, *, is_end: bool = False) -> int:
    """A time of day HH:MM in milliseconds since midnight; 24:00 only as the end of a period."""
    right = "must be a time of day, written like 08:30"
    if isinstance(value, bool) or not isinstance(value, str):
        raise ValueError(right)
    if match := re.fullmatch(r"([0-9]{2}):([0-9]{2})", value):
        hour, minute = int(match[1]), int(match[2])
        if minute > 59 or hour > 24 or (hour == 24 and minute):
            raise ValueError("there is no such time of day: times go from 00:00 to 24:00")
        if hour == 24 and not is_end:
            raise ValueError("24:00 may only end a period: write 00:00")
        return (hour * 60 + minute) * 60_000
    if match := re.fullmatch(r"([0-9]{1,2})(?:[:.]([0-9]{2}))? ?([ap])\.?m\.?", value.lower()):
        hour = int(match[1]) % 12 + (12 if match[3] == "p" else 0)
        raise ValueError(f"{right}: write {hour:02d}:{match[2] or '00'}")
    if match := re.fullmatch(r"([0-9]{1,2})[:.]([0-9]{2})", value):
        raise ValueError(f"{right}: write {int(match[1]):02d}:{match[2]}")
    raise ValueError(right + _odd_remark(value))


def parse_hours(value: object) -> tuple[int, int]:
    """Opening hours `08:00-20:00` as start and end in milliseconds since midnight, end after start."""
    right = "must be hours of a day, written like 08:00-20:00"
    if not isinstance(value, str) or value.count("-") != 1:
        remark = _odd_remark(value) if isinstance(value, str) else ""
        dash = ", with a plain hyphen" if isinstance(value, str) and re.search("[\u2010-\u2015\u2212]", value) else ""
        raise ValueError(right + dash + remark)
    first, last = value.split("-")
    if first != first.strip() or last != last.strip():
        raise ValueError(f"{right}, without spaces")
    start, end = parse_time_of_day(first), parse_time_of_day(last, is_end=True)
    if end < start:
        raise ValueError(f"hours may not pass midnight: write two periods, {first}-24:00 and 00:00-{last}")
    if end == start:
        raise ValueError("hours must end after they start; the whole day is 00:00-24:00")
    return start, end


def parse_days(value: object) -> tuple[int, ...]:
    """Days of the week, `mon`, `mon-fri` or `sat,sun`, as numbers in order; Monday is 0."""
    if not isinstance(value, str):
        raise ValueError("must be days of the week, written like mon-fri or sat,sun")
    days: list[int] = []
    for part in value.split(","):
        first, dash, last = part.strip(" ").partition("-")
        start = _weekday(first)
        end = _weekday(last) if dash else start
        if dash and end <= start:
            raise ValueError(f"days go from mon to sun: write {first}-sun,mon-{last}")
        days.extend(range(start, end + 1))
    if len(set(days)) < len(days):
        raise ValueError("names a day twice")
    return tuple(sorted(days))


def _weekday(word: str) -> int:
    if word in WEEKDAYS:
        return WEEKDAYS.index(word)
    short = word.strip().lower()[:3]
    hint = f" (did you mean {short}?)" if short in WEEKDAYS else near(word, WEEKDAYS)
    raise ValueError(f"{show(word)} is not a day of the week{hint}")


# ---- other words ----


MOMENTS = ("joined", "started", "ready", "ended", "left")
"""The moments of a visit to a step, in their order."""


def parse_point(value: object) -> dict[str, str]:
    """A moment of a visit, `triage joined`, as {"step": "triage", "moment": "joined"}."""
    right = "must be a step and a moment, such as triage joined"
    if not isinstance(value, str):
        raise ValueError(right)
    step, space, moment = value.rpartition(" ")
    if not space:
        raise ValueError(f"{right}; moments are {', '.join(MOMENTS)}")
    if moment not in MOMENTS:
        raise ValueError(f"{right}: {show(moment)} is no moment{near(moment, MOMENTS)}")
    return {"step": parse_name(step), "moment": moment}


def parse_capacity(value: object) -> dict[str, int | bool]:
    """A capacity in words: `10 beds`, `20 slots` or `unlimited`, as {"beds": 10} and so on."""
    right = "must be a capacity, such as 10 beds, 20 slots or unlimited"
    if value == "unlimited":
        return {"unlimited": True}
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f"{right}: write {value} beds or {value} slots")
    match = re.fullmatch(r"(\S+) (beds?|slots?)", value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(right + (_odd_remark(value) if isinstance(value, str) else ""))
    try:
        return {match[2].removesuffix("s") + "s": parse_count(number_of(match[1]))}
    except ValueError as error:
        raise ValueError(f"{right}; {match[2]}: {error}") from None


def parse_age_band(value: object) -> str:
    """An age band as text: `0-17` (both ends within), `90+`, or a single year of age `5`."""
    right = "must be an age band, written like 65-69 or 90+"
    if not isinstance(value, str):
        raise ValueError(right)
    if match := re.fullmatch(r"(0|[1-9][0-9]{0,2})(?:-([1-9][0-9]{0,2})|\+)?", value):
        if match[2] and int(match[2]) < int(match[1]):
            raise ValueError("an age band must end at or after its start")
        return value
    if re.search("[\u2010-\u2015\u2212]", value):
        raise ValueError(f"{right}, with a plain hyphen (the dash here is another character)")
    if re.search("jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec", value.lower()) or _is_date(value):
        raise ValueError(f"{right} (a spreadsheet has turned it into a date: format the column as text)")
    raise ValueError(right + _odd_remark(value))
