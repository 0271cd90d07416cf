"""Opening hours: is the vendor at work, when next, and by when an answer is due.

Opening time is counted as it passes (in UTC), so a change of clocks inside a working day loses or gains
nothing. Instants come and go with an offset; results stand in the vendor's zone. No clock here.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from chalicelib.catalog import DAYS, OpeningHours
from chalicelib.durations import Duration

DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_HORIZON = 3660
"""Days searched for an opening, ten years: a vendor that never opens is a mistake in the policy, not a
long wait."""


def opening(hours: OpeningHours, day: date) -> tuple[datetime, datetime] | None:
    """When the vendor opens and closes on `day`, in UTC, or None on a closed day."""
    if DAYS[day.weekday()] not in hours.days or day in hours.closed:
        return None
    opens = datetime.combine(day, hours.open, hours.zone).astimezone(UTC)
    closes = datetime.combine(day, hours.close, hours.zone).astimezone(UTC)
    return (opens, closes) if opens < closes else None


def is_open(hours: OpeningHours, at: datetime) -> bool:
    """Whether the vendor is at work; the closing time itself is closed."""
    span = opening(hours, at.astimezone(hours.zone).date())
    return span is not None and span[0] <= at < span[1]


def next_opening(hours: OpeningHours, at: datetime) -> datetime:
    """`at` itself while open, else the next opening. Raises ValueError when there is none in ten years."""
    day = at.astimezone(hours.zone).date()
    for _ in range(_HORIZON):
        span = opening(hours, day)
        if span is not None and at < span[1]:
            return max(at, span[0]).astimezone(hours.zone)
        day += timedelta(days=1)
    raise ValueError("the opening hours of the policy hold no open day")


def working_time(hours: OpeningHours, length: Duration) -> timedelta:
    """A promise as opening time: an hour is an hour, a day is one full business day. Raises ValueError
    otherwise."""
    if length.unit == "hour":
        return timedelta(hours=length.count)
    if length.unit == "day":
        day = date(2000, 1, 3)
        return (datetime.combine(day, hours.close) - datetime.combine(day, hours.open)) * length.count
    raise ValueError(f"a first response is promised in hours or days, not '{length}'")


def after(hours: OpeningHours, at: datetime, amount: timedelta) -> datetime:
    """The instant at which `amount` of opening time has passed since `at`, in the vendor's zone.

    Opening time that ends exactly at closing time is due then, not at the next opening.
    """
    left = amount
    moment = next_opening(hours, at)
    while True:
        span = opening(hours, moment.date())
        assert span is not None, "next_opening gives an open day"  # noqa: S101
        until = span[1] - moment.astimezone(UTC)
        if left <= until:
            return (moment.astimezone(UTC) + left).astimezone(hours.zone)
        left -= until
        moment = next_opening(hours, span[1])


def open_time(hours: OpeningHours, first: datetime, last: datetime) -> timedelta:
    """Opening time that passes between two instants; none when `last` is not later."""
    total = timedelta(0)
    first, last = first.astimezone(UTC), last.astimezone(UTC)
    day, end = first.astimezone(hours.zone).date(), last.astimezone(hours.zone).date()
    while day <= end:
        span = opening(hours, day)
        if span is not None:
            total += max(timedelta(0), min(last, span[1]) - max(first, span[0]))
        day += timedelta(days=1)
    return total


def nearest_opening(hours: OpeningHours, at: datetime, length: timedelta) -> datetime:
    """The start nearest to `at` from which the vendor is open for `length` without a break: `at` itself
    where that is so, else on the same day, else on the next open day. Raises ValueError when no day is that
    long."""
    day = at.astimezone(hours.zone).date()
    for _ in range(_HORIZON):
        span = opening(hours, day)
        if span is not None and span[1] - span[0] >= length and at.astimezone(UTC) <= span[1]:
            return min(max(at.astimezone(UTC), span[0]), span[1] - length).astimezone(hours.zone)
        day += timedelta(days=1)
    raise ValueError("the opening hours of the policy hold no day of this length")


def span_text(amount: timedelta) -> str:
    """Opening time in words: "3 hours 5 minutes"; whole minutes, a begun one not counted."""
    minutes = max(0, int(amount / timedelta(minutes=1)))
    parts = [(minutes // 60, "hour"), (minutes % 60, "minute")]
    told = [f"{count} {unit}{'s' * (count != 1)}" for count, unit in parts if count]
    return " ".join(told) or "0 minutes"


def moment_text(at: datetime, hours: OpeningHours) -> str:
    """An instant in words, in the vendor's zone: "Monday, November 23, 2026, 7:30 a.m. MST"."""
    local = at.astimezone(hours.zone)
    return f"{local:%A, %B} {local.day}, {local.year}, {_clock_text(local.time())} {local:%Z}"


def _clock_text(at: time) -> str:
    """As the site writes it: "7:30 a.m."."""
    return f"{at.hour % 12 or 12}:{at:%M} {'a.m.' if at.hour < 12 else 'p.m.'}"


def week_text(hours: OpeningHours) -> str:
    """The week in words: "Monday to Friday, 8:00 a.m. to 5:00 p.m. (Denver time)"."""
    places = [DAYS.index(day) for day in hours.days]
    if len(places) > 2 and places == list(range(places[0], places[-1] + 1)):
        days = f"{DAY_NAMES[places[0]]} to {DAY_NAMES[places[-1]]}"
    else:
        days = ", ".join(DAY_NAMES[place] for place in places)
    opens, closes = (_clock_text(at) for at in (hours.open, hours.close))
    place = hours.zone.key.rsplit("/", 1)[-1].replace("_", " ")
    return f"{days}, {opens} to {closes} ({place} time)"


def day_text(day: date) -> str:
    """A day in words: "November 23, 2026"."""
    return f"{day:%B} {day.day}, {day.year}"
