"""Talking to PostgreSQL through psql, which is there wherever pg_dump is: no driver has to be installed.

A password never stands in a list of processes: it goes to the programs by the environment.
"""
import json
import os
import re
import secrets
import subprocess
import urllib.parse

from program import Child, Failure


def literal(value):
    """A value in SQL. standard_conforming_strings is on in each session, so a backslash is itself."""
    if value is None:
        return "NULL"
    text = str(value)
    if "\0" in text:
        raise Failure("a text with a NUL character cannot be given to PostgreSQL")
    return "'" + text.replace("'", "''") + "'"


def identifier(name):
    if not name or "\0" in name:
        raise Failure(f"{name!r} is no name")
    return '"' + name.replace('"', '""') + '"'


class Address:
    """Where a database is: postgresql://user:password@host:port/database?options."""

    def __init__(self, url):
        found = re.fullmatch(r"postgres(?:ql)?://(?:([^@/?]*)@)?([^/?@]*)(?:/([^?]*))?(?:\?(.*))?", url)
        if not found:
            raise Failure("the database must be named by a URL: postgresql://user@host:port/database")
        login, self._host, database, options = found.groups()
        user, _, password = (login or "").partition(":")
        self._user = user + "@" if user else ""
        self.database = urllib.parse.unquote(database or "")
        self.environment = {**os.environ, "PGAPPNAME": "relygate-backup"}
        kept = []
        for option in filter(None, (options or "").split("&")):
            name, _, value = option.partition("=")
            if name == "password":
                password = value
            elif name == "dbname":
                self.database = urllib.parse.unquote(value)
            else:
                kept.append(option)
        self._options = "?" + "&".join(kept) if kept else ""
        if password:
            self.environment["PGPASSWORD"] = urllib.parse.unquote(password)

    def url(self, database=None):
        return f"postgresql://{self._user}{self._host}/{urllib.parse.quote(database or self.database, safe='')}{self._options}"

    def needs_database(self):
        if not self.database:
            raise Failure("the URL names no database: postgresql://user@host:port/database")
        return self


# Values are compared as text between databases; names in catalogs must not depend on a search path; and no time-out of a
# role may end a session that holds a snapshot while others work.
_SETTINGS = """
\\set ON_ERROR_STOP 1
SET search_path = ''; SET row_security = off; SET client_encoding = 'UTF8'; SET standard_conforming_strings = on;
SET timezone = 'UTC'; SET datestyle = 'ISO, YMD'; SET intervalstyle = 'postgres'; SET bytea_output = 'hex'; SET extra_float_digits = 3;
SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET lock_timeout = '60s'; SET client_min_messages = error
"""


class Session:
    """One connection. It ends with the program, and what was not committed is undone."""

    def __init__(self, address, database=None, keep=()):
        self.address, self.database = address, database or address.database
        self.child = Child(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", address.url(database)], address.environment,
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, keep=keep)
        self.execute(_SETTINGS)

    def _fail(self):
        self.child.process.wait()
        lines = [re.sub(r"^psql:(?:[^:]*:\d+:)? ?", "", line) for line in self.child.complaint().splitlines()]
        lines = [line for line in lines if not line.startswith(("LINE ", " ", "CONTEXT:"))] or ["the connection was lost"]
        raise Failure("\n".join(lines))

    def stream(self, sql):
        """Lines that the commands print, as bytes with their ends, one by one. An error ends the session."""
        mark = "end of answer " + secrets.token_hex(16)
        pipe = self.child.process
        try:
            pipe.stdin.write(f"{sql};\n\\echo '{mark}'\n".encode())
            pipe.stdin.flush()
        except BrokenPipeError:
            self._fail()
        end = mark.encode() + b"\n"
        while (line := pipe.stdout.readline()) != end:
            if not line.endswith(b"\n"):
                self._fail()
            yield line

    def execute(self, sql):
        return [line[:-1].decode() for line in self.stream(sql)]

    def rows(self, query):
        """A dictionary a row."""
        return [json.loads(line) for line in self.execute(f"SELECT pg_catalog.to_jsonb(q)::text FROM ({query}) q")]

    def row(self, query):
        found = self.rows(query)
        return found[0] if found else None

    def value(self, query):
        found = self.row(query)
        return next(iter(found.values())) if found else None

    def close(self):
        try:
            self.child.process.stdin.close()
        except BrokenPipeError:
            pass
        try:
            self.child.process.wait(10)
        except subprocess.TimeoutExpired:
            pass
        self.child.end()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
