"""Visits and their visitors, as the rules of the product would have made them: a visitor has one open visit at most, a badge
number is unique on its day, sites that ask the host have pending, refused, cancelled and expired visits, and what has not ended
by the last moment is open."""
import bisect
import itertools

from . import calendar
from .copying import FALSE, NULL, TRUE, day, integer, pack_moment, POSTGRES_EPOCH_MS, text, uuid, uuid_v7

VISIT_COLUMNS = (
    "tenant_id", "id", "site_id", "visitor_id", "state", "requested_at", "checked_in_at", "checked_out_at", "checked_in_by",
    "checked_out_by", "purpose_id", "purpose", "host_id", "unit_id", "group_size", "gate_in_id", "gate_out_id", "vehicle_no",
    "badge_no", "badge_day", "remark", "is_forced", "is_automatic", "created_at", "updated_at", "created_by", "updated_by")
VISITOR_COLUMNS = (
    "tenant_id", "id", "visitor_type", "first_name", "last_name", "mobile", "email", "category_id", "vehicle_no", "unit_id",
    "registration_no", "search_name", "created_at", "updated_at", "created_by", "updated_by")
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
NEVER = 1 << 62
STATES = {state: text(state) for state in ("pending", "checked_in", "checked_out", "refused", "cancelled", "expired")}
WORDS = [text(word) for word in ("Lost and found", "Photographer", "Piano tuner", "Census", "School inspection", "Vaccination")]
REMARKS = [text(remark) for remark in ("Carries tools", "Came with a child", "Left a parcel", "Asked for a wheelchair")]
UNWANTED = text("Nobody expects a visit")
ENDED_BY_ITSELF = {"refused": (2 * MINUTE, 15 * MINUTE), "cancelled": (5 * MINUTE, HOUR), "expired": (2 * HOUR, 2 * HOUR)}


def packed(milliseconds):
    return pack_moment(8, (milliseconds - POSTGRES_EPOCH_MS) * 1000)


class Badges:
    """The numbers of one day, a row of them at each site."""

    def __init__(self, texts, begin, sites):
        self.texts, self.begin, self.given = texts, begin, [0] * sites

    def next(self, place):
        used = self.given[place]
        self.given[place] += 1
        return self.texts[(self.begin + used) % 9000] if used < 9000 else text(str(100_000 + used))


class Visits:
    """rows() yields the visits; afterwards visitor_rows() yields who made them."""

    def __init__(self, tenant, code, sites, guards, purposes, categories, people, random, until_ms):
        self.tenant, self.code, self.sites, self.guards, self.random = uuid(tenant), code, sites, guards, random
        self.purposes, self.categories = [uuid(p) for p in purposes], [uuid(c) for c in categories]
        self.people, self.until_ms = people, until_ms

    def prepare(self, visits, days):
        self.count, self.days = visits, list(days)
        random, first = self.random, self.days[0][0]
        size = max(50, visits // 8)
        self.visitors = [uuid_v7(first + random.randrange(DAY), random) for _ in range(size)]
        self.free_at, self.first_at = [0] * size, [0] * size
        shares = [4.0] + [1.0] * (len(self.sites) - 1)
        whole = sum(shares)
        self.site_shares = [share / whole for share in itertools.accumulate(shares)]

    def pick_visitor(self, moment_ms):
        """Six of ten visits are those of a tenth of the people; who is inside cannot come again."""
        random, size = self.random.random, len(self.visitors)
        number = int(size * (0.1 if random() < 0.6 else 1.0) * random())
        while self.free_at[number] > moment_ms:
            number = (number + 1) % size
        return number

    def stay(self):
        """Minutes for most, hours for some."""
        random = self.random.random
        return int(4 * MINUTE + 35 * MINUTE * random() / (0.06 + random()))

    def course(self, site, begins, midnight, must_stay):
        """What became of a visit: (state, check-in, check-out, last change, left by itself)."""
        random, until = self.random.random, self.until_ms
        enters = begins
        if site.asks_host:
            luck = random()
            ending = "refused" if luck < 0.03 else "cancelled" if luck < 0.05 else "expired" if luck < 0.07 else None
            enters = begins + int(MINUTE + 9 * MINUTE * random())
            if ending and not must_stay:
                soonest, latest = ENDED_BY_ITSELF[ending]
                changes = begins + soonest + int((latest - soonest) * random())
                return (ending, None, None, changes, False) if changes <= until else ("pending", None, None, begins, False)
            if enters > until or must_stay and ending:
                return "pending", None, None, begins, False
        leaves, forgotten = enters + self.stay(), random() < 0.012
        if forgotten:
            leaves = midnight + DAY - MINUTE if enters < midnight + DAY - MINUTE else midnight + 2 * DAY - MINUTE
        if must_stay or leaves > until:
            return "checked_in", enters, None, enters, False
        return "checked_out", enters, leaves, leaves, forgotten

    def rows(self):
        random, number, keeps = self.random.random, 0, max(2, self.count // 2500)
        people, visitors, null = self.people, self.visitors, NULL
        one = integer(1)
        badges = [text(str(1000 + n)) for n in range(9000)]
        following = Badges(badges, int(9000 * random()), len(self.sites))
        for midnight, ordinal, share, count in self.days:
            # Who enters after midnight has a badge of the day that begins, which goes on behind it.
            today, tomorrow = (day(ordinal), following), (day(ordinal + 1), Badges(badges, int(9000 * random()), len(self.sites)))
            following = tomorrow[1]
            for begins in calendar.moments_of(midnight, share, count, self.random):
                number += 1
                place = bisect.bisect_right(self.site_shares, random()) % len(self.sites)
                site = self.sites[place]
                guest = self.pick_visitor(begins)
                state, enters, leaves, changes, forgotten = self.course(site, begins, midnight, number > self.count - keeps)
                self.free_at[guest] = (leaves or changes) if state in ("checked_out", "refused", "cancelled", "expired") else NEVER
                self.first_at[guest] = self.first_at[guest] or begins
                guard = self.guards[int(len(self.guards) * random())]
                host = unit = gate_in = gate_out = badge = badge_day = purpose = word = remark = vehicle = null
                if random() < 0.8:
                    host, unit = site.hosts[int(len(site.hosts) * random())]
                if random() < 0.92:
                    purpose = self.purposes[int(len(self.purposes) * random() ** 1.5)]
                else:
                    word = WORDS[int(len(WORDS) * random())]
                if guest % 4 == 1 and random() < 0.8:
                    vehicle = text(people.vehicle(guest))
                if random() < 0.04:
                    remark = UNWANTED if state == "refused" else REMARKS[int(len(REMARKS) * random())]
                size = one if random() < 0.75 else integer(2 + int(4 * random() ** 3))
                if enters:
                    gate_in = site.gates_in[int(len(site.gates_in) * random())]
                    badge_day, its_badges = today if enters < midnight + DAY else tomorrow
                    badge = its_badges.next(place)
                forced = state == "checked_out" and not forgotten and random() < 0.02
                leaver = self.guards[int(len(self.guards) * random())] if leaves and not forgotten else null
                if leaves and not forgotten and not forced:
                    gate_out = site.gates_out[int(len(site.gates_out) * random())]
                at = packed(begins)
                yield (self.tenant, uuid(uuid_v7(begins, self.random)), uuid(site.id), uuid(visitors[guest]), STATES[state], at,
                       packed(enters) if enters else null, packed(leaves) if leaves else null, guard if enters else null, leaver,
                       purpose, word, host, unit, size, gate_in, gate_out, vehicle, badge, badge_day, remark,
                       TRUE if forced else FALSE, TRUE if forgotten else FALSE, at, packed(changes), guard,
                       null if forgotten else leaver if leaves else guard)

    def fold_names(self, fold):
        """fold(texts) is the product's own folding; it is asked before the rows are copied, which holds the connection."""
        wholes = sorted({self.whole_name(number) for number in range(len(self.visitors))})
        self.folded = {}
        for start in range(0, len(wholes), 20_000):
            piece = wholes[start:start + 20_000]
            self.folded.update(zip(piece, fold(piece)))

    def whole_name(self, number):
        first, last = self.people.name(number)
        return f"{first} {last}" if last else first

    def visitor_rows(self):
        people, units = self.people, [unit for site in self.sites for unit in site.units]
        for number, visitor in enumerate(self.visitors):
            first, last = people.name(number)
            known = people.is_registered(number)
            at = packed(self.first_at[number] or self.days[0][0])
            guard = self.guards[number % len(self.guards)]
            yield (self.tenant, uuid(visitor), text("registered" if known else "unregistered"), text(first), text(last),
                   text(people.mobile(number)), text(f"visitor.{number}@example.org") if number % 3 == 0 else NULL,
                   self.categories[number % len(self.categories)], text(people.vehicle(number)),
                   units[number % len(units)] if known and number % 2 else NULL,
                   text(f"V-{number:08d}") if known else NULL, text(self.folded[self.whole_name(number)]), at, at, guard, guard)
