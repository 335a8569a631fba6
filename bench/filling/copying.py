"""COPY in PostgreSQL's binary format (documentation of COPY, "Binary Format"): fields are packed once where they repeat, and
the server parses nothing. A field is its length and its bytes, so a row is a join."""
import struct

NULL = struct.pack(">i", -1)
POSTGRES_EPOCH_MS = 946_684_800_000      # 2000-01-01, from which timestamptz counts microseconds
EPOCH_DAY = 10_957                       # the same day, from 1970-01-01, from which date counts
HEAD = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
TAIL = struct.pack(">h", -1)
pack_moment = struct.Struct(">iq").pack
pack_int = struct.Struct(">ii").pack
TRUE, FALSE = struct.pack(">ib", 1, 1), struct.pack(">ib", 1, 0)


def text(value):
    if value is None:
        return NULL
    data = value.encode()
    return struct.pack(">i", len(data)) + data


def uuid(value):
    """Of 16 bytes, or of None."""
    return NULL if value is None else b"\0\0\0\x10" + value


def moment(milliseconds):
    return NULL if milliseconds is None else pack_moment(8, (milliseconds - POSTGRES_EPOCH_MS) * 1000)


def integer(value):
    return NULL if value is None else pack_int(4, value)


def day(ordinal_from_1970):
    return pack_int(4, ordinal_from_1970 - EPOCH_DAY)


def boolean(value):
    return TRUE if value else FALSE


def uuid_v7(milliseconds, random):
    """The 16 bytes of a UUIDv7 (RFC 9562, 5.7) of that instant."""
    bits = random.getrandbits(74)
    return struct.pack(">QQ", milliseconds << 16 | 0x7000 | bits >> 62, 1 << 63 | bits & ((1 << 62) - 1))


class Stream:
    """The file that psycopg2 reads a COPY from: rows are made when they are asked for."""

    def __init__(self, rows, columns):
        self.rows, self.waiting = iter(rows), bytearray(HEAD)
        self.begin, self.ended = struct.pack(">h", columns), False

    def read(self, size):
        while len(self.waiting) < size and not self.ended:
            row = next(self.rows, None)
            if row is None:
                self.ended = True
                self.waiting += TAIL
            else:
                self.waiting += self.begin
                self.waiting += b"".join(row)
        piece = bytes(self.waiting[:size])
        del self.waiting[:size]
        return piece


def copy(cursor, table, columns, rows):
    cursor.copy_expert(f"COPY relygate.{table} ({', '.join(columns)}) FROM STDIN (FORMAT binary)",
                       Stream(rows, len(columns)), size=1 << 18)
