"""The fixed things of a tenant that visits point at: sites, gates, units, hosts, guards. What the tenant has is used, and what
a place of this size would have is added."""
import dataclasses

from .copying import FALSE, NULL, TRUE, copy, moment, text, uuid, uuid_v7

STAMPS = ("created_at", "updated_at")


@dataclasses.dataclass
class Site:
    id: bytes
    asks_host: bool
    gates_in: list = dataclasses.field(default_factory=list)
    gates_out: list = dataclasses.field(default_factory=list)
    units: list = dataclasses.field(default_factory=list)
    hosts: list = dataclasses.field(default_factory=list)     # (host, unit), packed


class Builder:
    """Adds rows of the tenant; ids and texts follow from the seed."""

    def __init__(self, cursor, tenant, people, random, begins_ms):
        self.cursor, self.people, self.random = cursor, people, random
        self.tenant, self.begins_ms = uuid(tenant), begins_ms
        self.stamps = [moment(begins_ms)] * 2

    def new_id(self):
        self.begins_ms += 1
        return uuid_v7(self.begins_ms, self.random)

    def fold(self, values):
        self.cursor.execute("SELECT relygate.fold_search(v) FROM unnest(%s::text[]) WITH ORDINALITY AS t (v, n) ORDER BY n", (values,))
        return [row[0] for row in self.cursor.fetchall()]

    def copy(self, table, columns, rows):
        copy(self.cursor, table, ("tenant_id", *columns, *STAMPS), ([self.tenant, *row, *self.stamps] for row in rows))

    def sites(self, wanted):
        self.cursor.execute("SELECT uuid_send(id), ask_host FROM relygate.sites WHERE tenant_id = relygate.current_tenant() AND is_active ORDER BY name_key")
        found = [Site(bytes(site), asks) for site, asks in self.cursor.fetchall()]
        names = ["Annexe", "North Wing", "South Wing", "Workshop", "Guest House", "Sports Ground", "Warehouse", "Old Building"][:max(0, wanted - len(found))]
        made = [Site(self.new_id(), n % 3 == 0) for n in range(len(names))]
        self.copy("sites", ("id", "name", "name_key", "ask_host"),
                  [[uuid(site.id), text(name), text(key), TRUE if site.asks_host else FALSE] for site, name, key in zip(made, names, self.fold(names))])
        return found + made

    def gates(self, sites):
        rows, names = [], ["Gate for visitors in", "Gate for visitors out", "Gate for both ways", "Car park"]
        keys = self.fold(names)
        for site in sites:
            for name, key, direction in zip(names, keys, ("in", "out", "both", "both")):
                gate = uuid(self.new_id())
                rows.append([gate, uuid(site.id), text(name), text(key), text(direction)])
                if direction != "out":
                    site.gates_in.append(gate)
                if direction != "in":
                    site.gates_out.append(gate)
        self.copy("gates", ("id", "site_id", "name", "name_key", "direction"), rows)

    def units(self, sites, wanted):
        rows = []
        for site in sites:
            building = self.new_id()
            rows.append([uuid(building), uuid(site.id), NULL, text("building"), "Tower"])
            for number in range(max(2, wanted // len(sites))):
                if number % 10 == 0:
                    floor = self.new_id()
                    rows.append([uuid(floor), uuid(site.id), uuid(building), text("floor"), f"Floor {number // 10}"])
                unit = self.new_id()
                rows.append([uuid(unit), uuid(site.id), uuid(floor), text("unit"), f"Unit {number // 10}{number % 10:02d}"])
                site.units.append(uuid(unit))
        keys = self.fold([row[4] for row in rows])
        self.copy("locations", ("id", "site_id", "parent_id", "kind", "name", "name_key"),
                  [[*row[:4], text(row[4]), text(key)] for row, key in zip(rows, keys)])

    def hosts(self, sites, wanted, first_number):
        rows, wholes = [], []
        for n in range(wanted):
            site = sites[n % len(sites)]
            host, unit = uuid(self.new_id()), site.units[n // len(sites) % len(site.units)]
            first, last = self.people.name(first_number + n)
            rows.append([host, text("employee"), text(first), text(last), text(self.people.mobile(first_number + n)), unit])
            wholes.append(f"{first} {last}" if last else first)
            site.hosts.append((host, unit))
        self.copy("hosts", ("id", "kind", "first_name", "last_name", "mobile", "location_id", "search_name"),
                  [[*row, text(whole)] for row, whole in zip(rows, self.fold(wholes))])

    def guards(self, wanted):
        """Users at the gates. Their password is random and known to nobody."""
        self.cursor.execute("SELECT uuid_send(id) FROM relygate.roles WHERE tenant_id = relygate.current_tenant() AND name = 'security_guard'")
        role = uuid(bytes(self.cursor.fetchone()[0]))
        self.cursor.execute("SELECT relygate.hash_password(relygate.random_token(32))")
        password = text(self.cursor.fetchone()[0])
        ids = [uuid(self.new_id()) for _ in range(wanted)]
        names = [f"gate_guard_{n}" for n in range(1, wanted + 1)]
        self.copy("users", ("id", "user_name", "login_name", "password_hash", "first_name", "role_id", "password_changed_at"),
                  [[guard, text(name), text(login), password, text(self.people.name(n)[0]), role, self.stamps[0]]
                   for n, (guard, name, login) in enumerate(zip(ids, names, self.fold(names)))])
        return ids
