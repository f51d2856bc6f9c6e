"""The replies on a connection, told apart strictly: what comes where none may be is an error."""
import dataclasses
import json


class NoReply(Exception):
    """What came is no HTTP reply."""


@dataclasses.dataclass
class Reply:
    status: int
    headers: dict
    body: bytes

    @property
    def answer(self):
        """Of a reply of /ask; None of any other."""
        try:
            return json.loads(self.body)["answer"]
        except (ValueError, KeyError, TypeError):
            return None


def read_headers(stream):
    headers = {}
    while (line := stream.readline()) not in (b"\r\n", b"\n"):
        name, colon, value = line.partition(b":")
        if not colon or name.lower() in headers and name.lower() == b"content-length":
            raise NoReply(f"header {line[:100]}")
        headers[name.lower()] = value.strip()
    return headers


def read_exactly(stream, size):
    data = stream.read(size)
    if len(data) != size:
        raise NoReply(f"{len(data)} of {size} bytes")
    return data


def read_chunks(stream):
    body = b""
    while size := int(stream.readline(), 16):
        body += read_exactly(stream, size)
        if read_exactly(stream, 2) != b"\r\n":
            raise NoReply("no CRLF behind a chunk")
    read_headers(stream)  # trailers
    return body


def read_reply(stream, method="POST"):
    """The next reply on `stream`, a buffered reader; None at its end."""
    line = stream.readline()
    if not line:
        return None
    parts = line.split(None, 2)
    if not line.startswith(b"HTTP/1.") or len(parts) < 2 or not parts[1].isdigit():
        raise NoReply(f"status line {line[:100]}")
    status = int(parts[1])
    headers = read_headers(stream)
    if method == "HEAD" or status < 200 or status in (204, 304):
        body = b""
    elif headers.get(b"transfer-encoding") == b"chunked":
        body = read_chunks(stream)
    elif b"content-length" in headers:
        body = read_exactly(stream, int(headers[b"content-length"]))
    else:
        body = stream.read()
    return Reply(status, headers, body)
