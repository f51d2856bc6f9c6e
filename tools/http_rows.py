"""Requests that programs read differently: malformed, ambiguous, at limits; for check_http_proxies.

Where a row has HIDDEN in it, that is a request which whoever reads the framing wrongly takes for one of
its own.
"""
import dataclasses

HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: hidden\r\nX-Request-Id: @HIDDEN@\r\n\r\n"
ASKED = b'{"question":"Which?","context":"@CONTEXT@"}'  # the answer is the context, one word


@dataclasses.dataclass(frozen=True)
class Row:
    """Bytes, and the statuses of the server's replies; `last` of them closes the connection.

    Without `last` the connection goes on: the request that follows on it is answered too.
    """
    name: str
    data: bytes
    statuses: tuple
    last: bool = True
    methods: tuple = ("POST",)  # of its requests: a reply to HEAD has no body
    everywhere: bool = False  # the same through proxies
    another: bool = False  # of another version of HTTP, which a proxy may speak: replies without heads


def post(headers, body=b"", name=b"POST /ask HTTP/1.1"):
    return name + b"\r\nHost: a\r\n" + headers + b"\r\n" + body


def get(headers=b"", line=b"GET /livez HTTP/1.1", host=b"Host: a\r\n"):
    return line + b"\r\n" + host + headers + b"\r\n"


def length(size):
    return b"Content-Length: %d\r\n" % size


def chunked(body):
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


CHUNKS = b"Transfer-Encoding: chunked\r\n"
ASK = post(length(len(ASKED)), ASKED)
ENDED = b"0\r\n\r\n" + HIDDEN  # whoever goes by a length does not see the request behind the last chunk


def lengths_and_chunks():
    both = length(len(ENDED)) + CHUNKS
    yield Row("CL.TE", post(both, ENDED), (400,))
    yield Row("TE.CL", post(CHUNKS + length(4), b"%x\r\n%s\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN)), (400,))
    yield Row("CL.TE, two lengths", post(length(0) + both, ENDED), (400,))
    yield Row("CL 0 and TE", post(length(0) + CHUNKS, ENDED), (400,))
    yield Row("HTTP/1.0 with TE", post(length(len(ENDED)) + CHUNKS, ENDED, b"POST /ask HTTP/1.0"), (400,))
    yield Row("HTTP/1.0 with TE alone", post(CHUNKS, ENDED, b"POST /ask HTTP/1.0"), (400,))
    yield Row("GET with CL.TE", get(both) + ENDED, (400,))


def transfer_encodings():
    """What Transfer-Encoding may look like to one and not to the other."""
    for value, status in ((b" xchunked", 501), (b"  chunked", 0), (b" chunked, identity", 501),
                          (b" identity, chunked", 501), (b" identity", 501), (b" gzip, chunked", 501),
                          (b" chunked, chunked", 501), (b"\tchunked", 0), (b" chunked\t", 0),
                          (b" \x0bchunked", 400), (b" chunked\x0b", 400), (b" \x0cchunked", 400),
                          (b' "chunked"', 501), (b" chunked;q=1", 501), (b" CHUNKED", 0),
                          (b" c hunked", 501), (b" chunk", 501), (b" ,chunked", 501),
                          (b" chunked,", 501), (b" \xc2\xa0chunked", 501), (b" chunked\0", 400),
                          (b"", 501), (b" 5", 501)):
        headers = b"Transfer-Encoding:" + value + b"\r\n"
        name = "TE:" + value.decode("latin-1")
        yield Row(f"{name!r} and CL", post(length(len(ENDED)) + headers, ENDED), (400,))
        # Understood, it is an empty body and the hidden request is one of its own, which is seen.
        if status:
            yield Row(f"{name!r}", post(headers, ENDED), (status,))
        else:
            yield Row(f"{name!r} alone", post(headers, chunked(ASKED)), (200,), last=False)
    for name in (b"Transfer_Encoding", b"Transfer-Encodin", b"X-Transfer-Encoding"):
        yield Row(f"{name.decode()} is no TE", post(name + b": chunked\r\n" + length(len(ASKED)), ASKED),
                  (200,), last=False)
    for name in (b"Transfer-Encoding ", b"Transfer-Encoding\t", b" Transfer-Encoding",
                 b"Transfer-Encoding\0", b"Transfer Encoding", b"Transfer-Encoding\x0b"):
        yield Row(f"{name!r} as name", post(b"A: b\r\n" + name + b": chunked\r\n" + length(len(ENDED)),
                                            ENDED), (400,))
    yield Row("TE without a colon", post(b"Transfer-Encoding chunked\r\n" + length(len(ENDED)), ENDED),
              (400,))
    for second in (b"chunked", b"identity", b"x"):
        yield Row(f"TE twice, {second.decode()}", post(CHUNKS + b"Transfer-Encoding: " + second + b"\r\n",
                                                       ENDED), (400,))
    yield Row("TE twice, x first", post(b"Transfer-Encoding: x\r\n" + CHUNKS, ENDED), (501,))
    yield Row("TE folded", post(b"Transfer-Encoding:\r\n chunked\r\n" + length(len(ENDED)), ENDED), (400,))
    yield Row("TE behind a bare LF", post(b"A: b\nTransfer-Encoding: chunked\r\n" + length(len(ENDED)),
                                          ENDED), (400,))
    yield Row("TE behind a bare CR", post(b"A: b\rTransfer-Encoding: chunked\r\n" + length(len(ENDED)),
                                          ENDED), (400,))
    yield Row("Connection names TE", post(b"Connection: Transfer-Encoding\r\n" + CHUNKS, chunked(ASKED)),
              (200,), last=False)
    yield Row("Connection names CL", post(b"Connection: Content-Length\r\n" + length(len(ASKED)), ASKED),
              (200,), last=False)


def content_lengths():
    size = len(HIDDEN)
    for value in (f"-{size}", f"+{size}", f"0x{size:x}", f"{size}, {size}", f"{size},", f"{size} {size}",
                  f"{size}.0", f"{size}e0", "9" * 20, str(2**64 + size), str(2**64 - 1), f"'{size}'",
                  "", "a", f"{size};", "\x0b5", "5\x00", "\xb2"):
        yield Row(f"CL: {value!r}", post(b"Content-Length: " + value.encode("latin-1") + b"\r\n", HIDDEN),
                  (413,) if value == str(2**64 - 1) else (400,))
    for first, second in ((0, size), (size, 0), (size, size)):
        yield Row(f"CL {first} and {second}", post(length(first) + length(second), HIDDEN), (400,))
    yield Row("CL with zeros in front", post(b"Content-Length: 000%d\r\n" % len(ASKED), ASKED), (200,),
              last=False)
    yield Row("CL in spaces", post(b"Content-Length:   %d  \r\n" % len(ASKED), ASKED), (200,), last=False)
    for name in (b"Content-Length ", b"Content-Length\t", b" Content-Length", b"Content-Length\0"):
        yield Row(f"{name!r} as name", post(b"A: b\r\n" + name + b": %d\r\n" % size, HIDDEN), (400,))
    yield Row("CL folded", post(b"Content-Length:\r\n %d\r\n" % size, HIDDEN), (400,))
    yield Row("CL behind a bare LF", post(b"A: b\nContent-Length: %d\r\n" % size, HIDDEN), (400,))
    yield Row("more than may be sent", post(length(8 << 20 | 1)), (413,))


def chunks():
    rest = b"\r\n0\r\n\r\n"
    for name, body in (
            ("size of 17 digits", b"10000000000000000\r\n" + HIDDEN + rest),
            ("size of 2^64 - 1", b"ffffffffffffffff\r\n" + HIDDEN + rest),
            ("size 0x", b"0x5\r\nhello" + rest), ("size negative", b"-5\r\nhello" + rest),
            ("size +", b"+5\r\nhello" + rest), ("size empty", b"\r\nhello" + rest),
            ("size g", b"g\r\nhello" + rest), ("size _", b"1_0\r\nhello" + rest),
            ("space before size", b" 5\r\nhello" + rest),
            ("LF behind size", b"5\nhello" + rest), ("CR behind size", b"5\rhello" + rest),
            ("no CRLF behind data", b"5\r\nhello0\r\n\r\n" + HIDDEN),
            ("LF behind data", b"5\r\nhello\n0\r\n\r\n" + HIDDEN),
            ("CR behind data", b"5\r\nhello\r0\r\n\r\n" + HIDDEN),
            ("data too long", b"5\r\nhello!\r\n0\r\n\r\n" + HIDDEN),
            ("extension with LF", b"5;a\nxx\r\nhello" + rest + HIDDEN),
            ("extension with CR", b"5;a\rx\r\nhello" + rest + HIDDEN),
            ("last chunk with LF", b"5\r\nhello\r\n0\n\n" + HIDDEN),
            ("trailer with LF", b"5\r\nhello\r\n0\r\na: b\n\n" + HIDDEN),
            ("trailer CL", b"5\r\nhello\r\n0\r\nContent-Length: 500\r\n\r\n" + HIDDEN),
            ("trailer TE", b"5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n" + HIDDEN),
            ("trailer without a colon", b"5\r\nhello\r\n0\r\nGET /hidden HTTP/1.1\r\n\r\n" + HIDDEN)):
        yield Row(f"chunk: {name}", post(CHUNKS, body), (400,))
    size = b"%x" % len(ASKED)
    good = b"\r\n" + ASKED + b"\r\n0\r\n"
    for name, body in (
            ("extension", size + b";a=b" + good + b"\r\n"),
            ("extension quoted", size + b';a="b;c"' + good + b"\r\n"),
            ("zeros in front", b"000" + size + good + b"\r\n"),
            ("trailer folded", size + good + b"A: b\r\n c\r\n\r\n"),
            ("trailer Host", size + good + b"Host: b\r\n\r\n"),
            ("trailer id", size + good + b"X-Request-Id: @HIDDEN@\r\n\r\n")):
        yield Row(f"chunk: {name}", post(CHUNKS, body), (200,), last=False)


def heads():
    """Lines of the head, none of which any request may have; all with a request behind."""
    for name, header in (
            ("space before the colon", b"A : b\r\n"), ("tab before the colon", b"A\t: b\r\n"),
            ("obs-fold", b"A: b\r\n c\r\n"), ("obs-fold with a tab", b"A: b\r\n\tc\r\n"),
            ("bare LF", b"A: b\nC: d\r\n"), ("bare CR", b"A: b\rC: d\r\n"), ("CR CR LF", b"A: b\r\r\n"),
            ("NUL in a value", b"A: b\0c\r\n"), ("NUL in a name", b"A\0: b\r\n"),
            ("control in a value", b"A: b\x01c\r\n"), ("DEL in a value", b"A: b\x7fc\r\n"),
            ("no colon", b"A\r\n"), ("empty name", b": b\r\n"), ("name with a space", b"A B: c\r\n"),
            ("name with (", b"A(: b\r\n"), ("name of Latin 1", b"\xe9: b\r\n"),
            ("second Host", b"Host: b\r\n"), ("Host with a space before the colon", b"Host : b\r\n")):
        yield Row(f"head: {name}", get(header) + HIDDEN, (400,))
    yield Row("head: first line folded", b"GET /livez HTTP/1.1\r\n Host: a\r\n\r\n" + HIDDEN, (400,))
    yield Row("head: no Host", get(host=b"") + HIDDEN, (400,))
    yield Row("head: lines end with LF", b"GET /livez HTTP/1.1\nHost: a\n\n" + HIDDEN, (400,))
    yield Row("head: last line ends with LF", b"GET /livez HTTP/1.1\r\nHost: a\r\n\n" + HIDDEN, (400,))
    yield Row("head: value of Latin 1", get(b"A: \xe9\r\n"), (200,), last=False)
    yield Row("head: empty value", get(b"A:\r\n"), (200,), last=False)
    yield Row("head: empty Host", get(host=b"Host:\r\n"), (200,), last=False)
    yield Row("head: 33 KiB in one value", get(b"A: " + bytes(33 << 10).replace(b"\0", b"a") + b"\r\n"),
              (431,))
    yield Row("head: 4000 headers", get(b"".join(b"A%d: b\r\n" % i for i in range(4000))), (431,))
    yield Row("head: 500 headers", get(b"".join(b"A%d: b\r\n" % i for i in range(500))), (200,),
              last=False)


def lines():
    """Request lines."""
    for line, status in (
            (b"get /livez HTTP/1.1", 405), (b"GET  /livez HTTP/1.1", 400), (b"GET\t/livez HTTP/1.1", 400),
            (b"GET /livez  HTTP/1.1", 400), (b"GET /livez\tHTTP/1.1", 400), (b"GET /livez HTTP/1.1 ", 400),
            (b" GET /livez HTTP/1.1", 400), (b"GET /li vez HTTP/1.1", 400), (b"GET /livez", 400),
            (b"GET", 400), (b"GET /livez HTTP/1", 400), (b"GET /livez HTTP/1.", 400),
            (b"GET /livez HTTP/1.10", 400), (b"GET /livez http/1.1", 400), (b"GET /livez HTTP/01.1", 400),
            (b"GET /livez HTTP/1.2", 505), (b"GET /livez HTTP/2.0", 505), (b"GET /livez HTTP/3.0", 505),
            (b"GET /livez HTTP/0.9", 505), (b"GET /livez ICY/1.1", 400), (b"GET livez HTTP/1.1", 400),
            (b"GET * HTTP/1.1", 400), (b"CONNECT a:80 HTTP/1.1", 400), (b"GET /\0livez HTTP/1.1", 400),
            (b"GET /\x01livez HTTP/1.1", 400), (b"GET /\xe9 HTTP/1.1", 404), (b"G(T /livez HTTP/1.1", 400),
            (b"GET ftp://a/livez HTTP/1.1", 400), (b"GET http:/livez HTTP/1.1", 400)):
        last = status not in (404, 405)
        yield Row(f"line: {line!r}", get(line=line) + (HIDDEN if last else b""), (status,), last=last,
                  another=b"HTTP" not in line)
    yield Row("line: 33 KiB", get(line=b"GET /" + b"a" * (33 << 10) + b" HTTP/1.1"), (431,))
    yield Row("line: method of 1 KiB", get(line=b"A" * 1024 + b" /livez HTTP/1.1"), (405,), last=False)
    yield Row("line: http://other/livez", get(line=b"GET http://other/livez HTTP/1.1"), (200,), last=False)
    yield Row("line: HTTPS://a/livez", get(line=b"GET HTTPS://a/livez HTTP/1.1"), (200,), last=False)
    yield Row("line: http://u@a/livez", get(line=b"GET http://u@a/livez HTTP/1.1"), (200,), last=False)
    yield Row("line: OPTIONS *", get(line=b"OPTIONS * HTTP/1.1"), (204,), last=False)
    yield Row("line: //livez", get(line=b"GET //livez HTTP/1.1"), (404,), last=False)
    yield Row("HTTP/0.9", b"GET /livez\r\n", (400,), another=True)
    yield Row("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", (505,),
              another=True)
    yield Row("TLS", b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + bytes(154), (400,))
    yield Row("PROXY protocol", b"PROXY TCP4 1.2.3.4 1.2.3.5 1 2\r\n" + get(), (400,))
    yield Row("empty lines in front", b"\r\n\r\n" + get(), (200,), last=False, methods=("GET",))


def good():
    """What everybody may send."""
    yield Row("one request", ASK, (200,), last=False)
    yield Row("chunked", post(CHUNKS, chunked(ASKED)), (200,), last=False)
    yield Row("20 in a row", ASK * 20, (200,) * 20, last=False, methods=("POST",) * 20)
    yield Row("POST, HEAD, GET, chunked in a row",
              ASK + get(line=b"HEAD /livez HTTP/1.1") + get() + post(CHUNKS, chunked(ASKED)),
              (200,) * 4, last=False, methods=("POST", "HEAD", "GET", "POST"))
    yield Row("Connection: close, then another", post(b"Connection: close\r\n" + length(len(ASKED)), ASKED)
              + HIDDEN, (200,))
    yield Row("HTTP/1.0", get(line=b"GET /livez HTTP/1.0") + HIDDEN, (200,), methods=("GET",))
    yield Row("HTTP/1.0 keep-alive", get(b"Connection: keep-alive\r\n", b"GET /livez HTTP/1.0"), (200,),
              last=False, methods=("GET",))
    yield Row("HEAD with a body", get(length(len(HIDDEN)), b"HEAD /livez HTTP/1.1") + HIDDEN, (200,),
              last=False, methods=("HEAD",))
    yield Row("GET with a body", get(length(len(HIDDEN))) + HIDDEN, (200,), last=False, methods=("GET",))
    yield Row("GET with a chunked body", get(CHUNKS) + chunked(HIDDEN), (200,), last=False,
              methods=("GET",))
    yield Row("404 with a body", post(length(len(HIDDEN)), HIDDEN, b"POST /none HTTP/1.1"), (404,),
              last=False)
    yield Row("not JSON", post(length(len(HIDDEN)), HIDDEN), (400,), last=False)
    yield Row("Upgrade: h2c", get(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                                  b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"), (200,), last=False)
    expected = b"Expect: 100-continue\r\n"
    yield Row("Expect", post(expected + length(len(ASKED)), ASKED), (100, 200), last=False)
    yield Row("Expect in capitals", post(expected.upper() + length(len(ASKED)), ASKED), (100, 200),
              last=False)
    yield Row("Expect, chunked", post(expected + CHUNKS, chunked(ASKED)), (100, 200), last=False)
    yield Row("Expect something else", post(b"Expect: x\r\n" + length(len(ASKED)), ASKED), (200,),
              last=False)
    yield Row("Expect in HTTP/1.0", post(expected + length(len(ASKED)), ASKED, b"POST /ask HTTP/1.0"),
              (200,))


def odd():
    """What the server takes and proxies may not, or differently."""
    yield Row("Upgrade: websocket", get(b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
                                        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: YQ==\r\n"),
              (200,), last=False)
    yield Row("Expect without a body", get(b"Expect: 100-continue\r\n"), (200,), last=False)
    yield Row("Expect with CL.TE", post(b"Expect: 100-continue\r\n" + length(len(ENDED)) + CHUNKS, ENDED), (400,))


def rows():
    for row in good():
        yield dataclasses.replace(row, everywhere=True)
    for kind in (odd, lengths_and_chunks, transfer_encodings, content_lengths, chunks, heads, lines):
        yield from kind()
