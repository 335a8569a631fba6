"""A client that pipelines, as the shim does: psycopg2 cannot, so this asks libpq itself."""
import ctypes
import ctypes.util

TUPLES, COMMAND, SYNC, ABORTED = 2, 1, 10, 11
DIAG_SQLSTATE = ord("C")


class Pipeline:
    def __init__(self, url):
        self.libpq = ctypes.CDLL(ctypes.util.find_library("pq"))
        for name, result in (("PQconnectdb", ctypes.c_void_p), ("PQgetResult", ctypes.c_void_p), ("PQgetvalue", ctypes.c_char_p),
                             ("PQresultErrorField", ctypes.c_char_p), ("PQerrorMessage", ctypes.c_char_p)):
            getattr(self.libpq, name).restype = result
        self.connection = ctypes.c_void_p(self.libpq.PQconnectdb(url.encode()))
        assert self.libpq.PQstatus(self.connection) == 0, self.libpq.PQerrorMessage(self.connection)
        assert self.libpq.PQenterPipelineMode(self.connection) == 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.libpq.PQfinish(self.connection)

    def run(self, batches):
        """Sends all statements of all batches at once, a sync after each batch. A statement's answer: its first value, "" for
        none, the SQLSTATE of an error, or "aborted"."""
        for batch in batches:
            for sql in batch:
                assert self.libpq.PQsendQueryParams(self.connection, sql.encode(), 0, None, None, None, None, 0) == 1
            assert self.libpq.PQpipelineSync(self.connection) == 1
        answers = []
        for batch in batches:
            answers.append([self._answer() for _ in batch])
            assert self._status(self._result()) == SYNC
        return answers

    def _result(self):
        return ctypes.c_void_p(self.libpq.PQgetResult(self.connection))

    def _status(self, result):
        return self.libpq.PQresultStatus(result)

    def _answer(self):
        result = self._result()
        status = self._status(result)
        if status == TUPLES:
            answer = self.libpq.PQgetvalue(result, 0, 0).decode()
        elif status == COMMAND:
            answer = ""
        elif status == ABORTED:
            answer = "aborted"
        else:
            answer = self.libpq.PQresultErrorField(result, DIAG_SQLSTATE).decode()
        self.libpq.PQclear(result)
        assert self._result().value is None     # the end of this statement's results
        return answer
