"""Opening hours as readers meet them: those that the functions count in, since both read the policy.

Outputs ask here for words; what is counted stands in the catalog.
"""

from __future__ import annotations

from bindery.fields import Duration
from bindery.kinds.policy import DAY_NAMES, DAYS, Hours, time_of_day, zone_name


def promised(time: Duration) -> str:
    """4 opening hours, 1 business day: first responses count in opening hours."""
    return str(time).replace("hour", "opening hour").replace("day", "business day")


def hours(told: Hours) -> str:
    """Monday to Friday, 8:00 a.m. to 5:00 p.m. (Denver time)."""
    places = [DAYS.index(day) for day in told.days]
    in_a_row = len(places) > 2 and places == list(range(places[0], places[-1] + 1))
    if in_a_row:
        days = f"{DAY_NAMES[told.days[0]]} to {DAY_NAMES[told.days[-1]]}"
    else:
        days = ", ".join(DAY_NAMES[day] for day in told.days)
    return f"{days}, {time_of_day(told.open)} to {time_of_day(told.close)} ({zone_name(told.time_zone)})"
