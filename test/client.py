"""A small HTTP client for the tests: JSON in and out, the envelope looked at, one connection per client."""
import http.client
import json
import threading
import urllib.parse


class Answer:
    def __init__(self, asked, status, headers, raw):
        self.asked, self.status, self.headers, self.raw = asked, status, headers, raw
        try:
            self.json = json.loads(raw)
        except ValueError:
            self.json = None

    @property
    def data(self):
        assert isinstance(self.json, dict) and "data" in self.json, f"no data in {self}"
        return self.json["data"]

    @property
    def code(self):
        return (self.json or {}).get("code")

    @property
    def fields(self):
        """The members that the errors name."""
        return {error["field"] for error in (self.json or {}).get("errors", [])}

    def __repr__(self):
        return f"{self.asked} -> {self.status} {self.raw[:400]!r}"


class Client:
    def __init__(self, url, token=None):
        self.url, self.token = url, token
        self._local = threading.local()  # connections are not shared between threads

    def request(self, method, path, body=None, headers=None, token=True):
        headers = dict(headers or {})
        shown = self.token if token is True else token
        if shown:
            headers.setdefault("Authorization", "Bearer " + shown)
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        for attempt in (1, 2):
            connection = getattr(self._local, "connection", None)
            fresh = connection is None
            if fresh:
                address = urllib.parse.urlsplit(self.url)
                connection = self._local.connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
            try:
                connection.request(method, path, body, headers)
                answer = connection.getresponse()
                return Answer(f"{method} {path}", answer.status, answer.headers, answer.read())
            except (http.client.RemoteDisconnected, ConnectionError):
                connection.close()
                self._local.connection = None
                if fresh or method != "GET" or attempt == 2:
                    raise

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.request("POST", path, {} if body is None else body, **more)

    def patch(self, path, body, **more):
        return self.request("PATCH", path, body, **more)

    def delete(self, path, **more):
        return self.request("DELETE", path, **more)

    def login(self, tenant, user, password):
        answer = self.post("/api/auth/login", {"tenant": tenant, "userName": user, "password": password}, token=False)
        assert answer.status == 200, answer
        self.token = answer.data["token"]
        return self
