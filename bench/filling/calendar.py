"""When visits begin: their shape over the years, the week and the day, in the tenant's zone."""
import bisect
import datetime
import itertools

WEEK = (1.0, 1.05, 1.0, 1.0, 1.1, 0.7, 0.35)     # Monday first
# Of each hour of the day: quiet nights, a morning peak, a dip at noon, an evening peak.
HOURS = (2, 1, 1, 1, 2, 8, 25, 60, 95, 100, 92, 80, 62, 66, 78, 82, 86, 95, 88, 66, 40, 22, 10, 4)
HOUR_MS = 3_600_000
CUMULATED = [0, *itertools.accumulate(HOURS)]
TOTAL = CUMULATED[-1]


def share_of_day(milliseconds):
    """Which part of a day's visits have begun so long after its midnight."""
    hour = min(milliseconds // HOUR_MS, 23)
    return min(1.0, (CUMULATED[hour] + HOURS[hour] * (milliseconds - hour * HOUR_MS) / HOUR_MS) / TOTAL)


def moment_of_day(share):
    """The inverse: milliseconds after midnight."""
    at = share * TOTAL
    hour = min(bisect.bisect_right(CUMULATED, at) - 1, 23)
    return int((hour + (at - CUMULATED[hour]) / HOURS[hour]) * HOUR_MS)


def days_of(visits, years, until, zone, random):
    """Yields (midnight in ms, days since 1970, share of the day that has passed, visits) of each day that has some.

    Two years in which the place grows by a fifth; the counts add up to visits exactly.
    """
    last = until.astimezone(zone).date()
    count = round(years * 365.25)
    weights, days = [], []
    for n in range(count):
        date = last - datetime.timedelta(days=count - 1 - n)
        midnight = int(datetime.datetime.combine(date, datetime.time(), zone).timestamp() * 1000)
        passed = share_of_day(int(until.timestamp() * 1000) - midnight) if date == last else 1.0
        noise = 0.85 + 0.3 * random.random()
        weights.append(WEEK[date.weekday()] * (1 + 0.2 * n / count) * noise * passed)
        days.append((midnight, (date - datetime.date(1970, 1, 1)).days, passed))
    whole, reached, given = sum(weights), 0.0, 0
    for weight, day in zip(weights, days):
        reached += weight
        ends = round(visits * reached / whole)
        if ends > given:
            yield (*day, ends - given)
        given = max(given, ends)


def moments_of(midnight, share, visits, random):
    """The instants at which a day's visits begin, in order."""
    return sorted(midnight + moment_of_day(random.random() * share) for _ in range(visits))
