"""The support policy: rules by date, hours, first responses, mailboxes. Prose and answers read it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bindery.fields import Duration, Fields
from bindery.kinds.item import SLUG, Item, common, fields_of
from bindery.source import Problem, Source

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAY_NAMES = dict(
    zip(DAYS, ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), strict=True)
)
MAILBOXES = ("client_services", "client_services_manager", "programming")
ESCALATE_AT = 75
ESCALATE_TO = {
    "client_manager": "client_services_manager",
    "client_services": "client_services_manager",
    "client_services_manager": "programming",
    "programming": "client_services_manager",
}
"""Who is told when an answer is nearly due, where the policy does not say: the mailbox beside the one that
has the ticket. `client_manager` is the Client Manager of the customer's agreement."""
SEVERITIES = ("P1", "P2", "P3", "P4")
ROUNDINGS = ("same day", "month end")
LAPSED_DOWNLOADS = ("released while covered", "none")
_DOWNLOADS = {
    "released while covered": "every release that came out while you were covered",
    "none": "no release",
}
EXAMPLE_STARTS = date(2026, 3, 1)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z")
_TIER = re.compile(r"[a-z][a-z-]{0,30}\Z")
_HOLIDAYS = re.compile(r"[A-Z]{2}(?:-[A-Z0-9]{1,3})?\Z")


MOST_TIERS = 3
"""Active, security and extended support: more have no place in what programs read of a life cycle."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tier:
    """A level of support, and how long it goes on after the release of the next version."""

    name: str
    length: Duration


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """What is promised from `since` on; `product` is "" for a rule of all products. `tiers` are levels of
    support from the one that ends first to the last, which ends with `prior_version_support`; () where
    support is one thing until its end."""

    since: date
    product: str
    prior_version_support: Duration
    tiers: tuple[Tier, ...]
    rounding: str
    complimentary_site: Duration
    complimentary_seat: Duration
    renewal: Duration
    grace: Duration
    lapsed_downloads: str
    reminders: tuple[int, ...]
    place: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Hours:
    """Opening hours, `open` to `close` on `days` in `time_zone`; `holidays` names a country or state."""

    time_zone: str
    days: tuple[str, ...]
    open: str
    close: str
    holidays: str
    closed: tuple[date, ...]

    def closed_days(self, holidays: Mapping[date, str]) -> dict[date, str]:
        """Every day without opening hours that is not so by its weekday, in order, and what it is called.
        `holidays` are those of the country or state."""
        days = {**(holidays if self.holidays else {}), **dict.fromkeys(self.closed, "Closed")}
        return {day: days[day] for day in sorted(days)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy(Item):
    """The support policy; `rules` in order of `since`, first responses in opening hours. When `escalate_at`
    percent of that time are over, the mailbox in `escalate_to` is told."""

    rules: tuple[Rule, ...]
    hours: Hours
    first_response: dict[str, Duration]
    mailboxes: dict[str, str]
    escalate_at: int
    escalate_to: dict[str, str]

    def turns(self) -> tuple[datetime, ...]:
        """The instants at which a rule begins to hold, in order: midnight in the vendor's time zone."""
        zone = ZoneInfo(self.hours.time_zone)
        return tuple(datetime.combine(day, time(), zone) for day in sorted({r.since for r in self.rules}))

    def values(self, today: date) -> dict[str, str]:
        """What prose may use by name, as readers read it: of the rule of all products that holds on a day.

        Before the first rule it is the first. `example` are the covered days of an agreement that starts
        on `EXAMPLE_STARTS`.
        """
        general = [rule for rule in self.rules if not rule.product] or list(self.rules)
        rule = next((rule for rule in reversed(general) if rule.since <= today), general[0])
        hours = self.hours
        following = hours.days == DAYS[DAYS.index(hours.days[0]) :][: len(hours.days)]
        return {
            "rules.prior_version_support": str(rule.prior_version_support),
            **{f"rules.tiers.{tier.name}": str(tier.length) for tier in rule.tiers},
            "rules.rounding": rule.rounding,
            "rules.complimentary.site": str(rule.complimentary_site),
            "rules.complimentary.seat": str(rule.complimentary_seat),
            "rules.renewal": str(rule.renewal),
            "rules.grace": str(rule.grace),
            "rules.lapsed_downloads": rule.lapsed_downloads,
            "rules.downloads_after_lapse": _DOWNLOADS[rule.lapsed_downloads],
            **_example(rule),
            "rules.reminders": _listed([str(days) for days in rule.reminders]),
            "hours.time_zone": zone_name(hours.time_zone),
            "hours.days": f"{DAY_NAMES[hours.days[0]]} to {DAY_NAMES[hours.days[-1]]}"
            if following and len(hours.days) > 2
            else _listed([DAY_NAMES[day] for day in hours.days]),
            "hours.open": time_of_day(hours.open),
            "hours.close": time_of_day(hours.close),
            **{
                f"first_response.{severity}": str(promised)
                for severity, promised in self.first_response.items()
            },
            **{f"mailboxes.{name}": address for name, address in self.mailboxes.items()},
        }


def _example(rule: Rule) -> dict[str, str]:
    def last(start: date, length: Duration) -> date:  # both days are covered, as the functions count them
        return length.after(start) - timedelta(days=1)

    made = {"example.starts": _in_words(EXAMPLE_STARTS)}
    for licence, length in (("site", rule.complimentary_site), ("seat", rule.complimentary_seat)):
        ends = last(EXAMPLE_STARTS, length)
        renewed = ends + timedelta(days=1)
        made[f"example.{licence}.ends"] = _in_words(ends)
        made[f"example.{licence}.renewal"] = (
            f"{_in_words(renewed)} to {_in_words(last(renewed, rule.renewal))}"
        )
    return made


def _in_words(day: date) -> str:
    return f"{day:%B} {day.day}, {day.year}"


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1] if words else "none"


def time_of_day(text: str) -> str:
    """17:00 is 5:00 p.m."""
    hour, minute = text.split(":")
    return f"{(int(hour) - 1) % 12 + 1}:{minute} {'a' if int(hour) < 12 else 'p'}.m."


def zone_name(zone: str) -> str:
    """America/Denver is Denver time."""
    return f"{zone.rsplit('/', 1)[-1].replace('_', ' ')} time"


def parse(source: Source, problems: list[Problem]) -> Policy | None:
    """The policy from `policy/support.md`; None when it cannot be made (see problems)."""
    fields = fields_of(source, problems)
    before = len(problems)
    shared = common("policy", source, fields)
    rules = [
        rule
        for below in fields.mappings("rules", such_as="'- since: 1990-01-01'", required=True)
        if (rule := _rule(below, source.path))
    ]
    keys = [(rule.since, rule.product) for rule in rules]
    if len(set(keys)) < len(keys):
        fields.wrong("rules", "rules that each begin on a day of their own", "1990-01-01", "two for one day")
    hours = _hours(fields.mapping("hours", such_as="'open: \"08:00\"'", required=True))
    first_response = {}
    below = fields.mapping("first_response", such_as="'P1: 1 hour'", required=True)
    if below:
        for severity in SEVERITIES:
            promised = below.duration(severity, such_as="4 hours", required=True)
            if promised and promised.unit not in ("hour", "day"):
                below.wrong(severity, "hours or days", "4 hours", f"'{promised}'")
            elif promised:
                first_response[severity] = promised
        below.finish("the first responses")
    mailboxes = {}
    below = fields.mapping("mailboxes", such_as="'client_services: help@example.com'", required=True)
    if below:
        for name in MAILBOXES:
            mailboxes[name] = below.text(
                name, such_as="help@example.com", must_be="a mail address", required=True, pattern=_EMAIL
            )
        below.finish("the mailboxes")
    escalate_at, escalate_to = _escalation(fields)
    fields.finish("the support policy")
    if len(problems) > before or hours is None:
        return None
    return Policy(
        **shared,
        rules=tuple(sorted(rules, key=lambda rule: (rule.since, rule.product))),
        hours=hours,
        first_response=first_response,
        mailboxes=mailboxes,
        escalate_at=escalate_at,
        escalate_to=escalate_to,
    )


def _escalation(fields: Fields) -> tuple[int, dict[str, str]]:
    below = fields.mapping("escalation", such_as="'{percent: 75, to: {client_services: programming}}'")
    if below is None:
        return ESCALATE_AT, dict(ESCALATE_TO)
    percent = below.whole("percent", such_as=str(ESCALATE_AT)) if below.given("percent") else ESCALATE_AT
    if percent is not None and not 1 <= percent <= 99:
        below.wrong("percent", "from 1 to 99", str(ESCALATE_AT), f"'{percent}'")
    to = below.mapping("to", such_as="'client_services: client_services_manager'", required=True)
    told: dict[str, str] = {}
    if to:
        for name in ESCALATE_TO:
            mailbox = to.choice(name, MAILBOXES, such_as=ESCALATE_TO[name])
            if mailbox == name:
                to.wrong(name, "another mailbox", ESCALATE_TO[name], f"'{mailbox}', which has the ticket")
            elif mailbox:
                told[name] = mailbox
        to.finish("the escalation")
    below.finish("the escalation")
    return percent or ESCALATE_AT, told


def _rule(fields: Fields, path: str) -> Rule | None:
    before = len(fields.problems)
    since = fields.date("since", required=True, such_as="1990-01-01")
    product = fields.text("product", such_as="cityworks", must_be="a product's folder", pattern=SLUG)
    support = fields.duration("prior_version_support", such_as="12 months", required=True)
    tiers = _tiers(fields, support)
    rounding = fields.choice("rounding", ROUNDINGS, default="same day")
    free = fields.mapping("complimentary", such_as="'{site: 1 year, seat: 90 days}'", required=True)
    site = free.duration("site", such_as="1 year", required=True) if free else None
    seat = free.duration("seat", such_as="90 days", required=True) if free else None
    if free:
        free.finish("the complimentary periods")
    renewal = fields.duration("renewal", such_as="1 year", required=True)
    grace = fields.duration("grace", such_as="0 days") or Duration(count=0, unit="day")
    lapsed = fields.choice("lapsed_downloads", LAPSED_DOWNLOADS, default=LAPSED_DOWNLOADS[0])
    reminders = fields.texts(
        "reminders", such_as="[90, 30, 7]", must_be="a list of days", pattern=re.compile(r"\d{1,3}")
    )
    fields.finish("a rule")
    for name, duration in (("prior_version_support", support), ("renewal", renewal), ("grace", grace)):
        if duration and duration.unit == "hour":
            fields.wrong(name, "days, months or years", "12 months", f"'{duration}'")
    if len(fields.problems) > before or not (since and support and site and seat and renewal):
        return None
    return Rule(
        since=since,
        product=product,
        prior_version_support=support,
        tiers=tiers,
        rounding=rounding,
        complimentary_site=site,
        complimentary_seat=seat,
        renewal=renewal,
        grace=grace,
        lapsed_downloads=lapsed,
        reminders=tuple(sorted({int(days) for days in reminders}, reverse=True)),
        place=f"{path}:{fields.line('since')}",
    )


def _tiers(fields: Fields, support: Duration | None) -> tuple[Tier, ...]:
    tiers: list[Tier] = []
    for below in fields.mappings("tiers", such_as="'- {name: maintenance, for: 6 months}'"):
        name = below.text("name", such_as="maintenance", must_be="a word", required=True, pattern=_TIER)
        length = below.duration("for", such_as="6 months", required=True)
        if length and length.unit == "hour":
            below.wrong("for", "days, months or years", "6 months", f"'{length}'")
            length = None
        below.finish("a tier")
        if name in [tier.name for tier in tiers]:
            below.wrong("name", "a name that no other tier has", "security", f"'{name}' again")
        elif name and length:
            if tiers and _days(length) < _days(tiers[-1].length):
                below.wrong(
                    "for", "as long as the tier before it, or longer,", str(tiers[-1].length), f"'{length}'"
                )
            tiers.append(Tier(name=name, length=length))
    if len(tiers) > MOST_TIERS:
        fields.wrong("tiers", f"at most {MOST_TIERS} tiers", "maintenance and security", f"{len(tiers)}")
    if tiers and support and not _same(tiers[-1].length, support):
        last = tiers[-1]
        fields.wrong(
            "prior_version_support",
            f"as long as the last tier, {last.name},",
            str(last.length),
            f"'{support}'",
        )
    return tuple(tiers)


def _days(length: Duration) -> int:
    """About how long it is, to tell shorter from longer."""
    start = date(2001, 1, 1)
    return (length.after(start) - start).days


def _same(one: Duration, other: Duration) -> bool:
    """Whether two lengths end on the same day whenever they begin: 12 months are 1 year, 365 days are not."""

    def counted(length: Duration) -> tuple[bool, int]:
        return length.unit == "day", length.count * (12 if length.unit == "year" else 1)

    return counted(one) == counted(other)


def _hours(fields: Fields | None) -> Hours | None:
    if fields is None:
        return None
    before = len(fields.problems)
    zone = fields.text("time_zone", such_as="America/Denver", must_be="a time zone", required=True)
    if zone:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            fields.wrong("time_zone", "a time zone", "America/Denver", f"'{zone}'")
    days = fields.texts(
        "days",
        such_as="[Mon, Tue, Wed, Thu, Fri]",
        must_be="a list of days",
        required=True,
        pattern=re.compile("|".join(DAYS)),
    )
    opens = fields.time_of_day("open", such_as="'08:00'", required=True)
    closes = fields.time_of_day("close", such_as="'17:00'", required=True)
    if opens and closes and opens >= closes:
        fields.wrong("close", "later than 'open'", "'17:00'", f"'{closes}'")
    holidays = fields.text("holidays", such_as="US-UT", must_be="a country or state", pattern=_HOLIDAYS)
    closed = []
    for text in fields.texts("closed", such_as="[2026-12-24]", must_be="a list of dates"):
        try:
            closed.append(date.fromisoformat(text))
        except ValueError:
            fields.wrong("closed", "a list of dates", "[2026-12-24]", f"'{text}'")
    fields.finish("the hours")
    if len(fields.problems) > before:
        return None
    return Hours(
        time_zone=zone,
        days=tuple(day for day in DAYS if day in days),
        open=opens,
        close=closes,
        holidays=holidays,
        closed=tuple(sorted(closed)),
    )
