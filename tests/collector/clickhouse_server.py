"""A ClickHouse server for tests: its HTTP interface over the embedded engine, with faults on demand."""

import json
import re
import socket
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import chdb
import clickhouse_native
import lz4.frame
from backports import zstd

TRANSPORT = {
    "query",
    "database",
    "default_format",
    "enable_http_compression",
    "client_protocol_version",
    "compress",
    "decompress",
}
TRANSPORT |= {
    "session_id",
    "query_id",
    "session_timeout",
    "buffer_size",
    "wait_end_of_query",
    "send_progress_in_http_headers",
    "http_headers_progress_interval_ms",
}
INSERT = re.compile(
    rb"(?P<statement>\s*INSERT\s+INTO\s.*?)\bFORMAT\s+(?P<format>\w+)[ \t]*(?:\r?\n|$)", re.IGNORECASE | re.DOTALL
)
FORMAT = re.compile(r"\bFORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE)
DECODERS: dict[str, Callable[[bytes], bytes]] = {"": bytes, "zstd": zstd.decompress, "lz4": lz4.frame.decompress}


@dataclass
class Fault:
    """What happens to requests that contain some bytes: an error, or an answer that comes not or late."""

    contains: bytes
    code: int = 0
    """An error of ClickHouse."""
    says: str = "as told"
    status: int = 0
    """An error of a proxy before it, by its HTTP status."""
    drops: str = ""
    """When the connection is lost, of what is sent: `before` any of it or in its `middle`."""
    times: int = 1 << 30
    loses_answer: bool = False
    withholds: threading.Event | None = None
    """What was done is not told before this is set."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, engine: Path, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.engine = str(engine)
        self.faults: list[Fault] = []
        self.inserts = 0
        self.errors: list[str] = []
        """What the engine said against requests."""
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def address(self) -> str:
        return f"clickhouse://127.0.0.1:{self.server_address[1]}"

    def fault(self, sent: bytes, *, is_all: bool = True) -> Fault | None:
        for fault in self.faults:
            if fault.times and fault.contains in sent and is_all != bool(fault.drops):
                fault.times -= 1
                return fault
        return None

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version, wbufsize, disable_nagle_algorithm = "HTTP/1.1", 65536, True
    server: Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the standard library
        pass

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        asked = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        length = int(self.headers.get("Content-Length") or 0)
        begun = asked.get("query", "").encode() + (self.rfile.peek(100) if length else b"")
        if early := self.server.fault(begun, is_all=False):
            self.rfile.read(length // 2 if early.drops == "middle" else 0)
            self.hang_up()
            return
        sql = b"\n".join(filter(None, [asked.get("query", "").encode(), self.body()]))
        fault = self.server.fault(sql)
        if fault and fault.code:
            self.reply(500, f"Code: {fault.code}. DB::Exception: {fault.says}. (FAULT)".encode(), code=fault.code)
            return
        if fault and fault.status:
            self.send_error(fault.status)
            return
        try:
            answer, headers = self.run(asked, sql)
        except RuntimeError as error:
            message = str(error)
            self.server.errors.append(message)
            found = re.search(r"Code: (\d+)", message)
            self.reply(500, message.encode(), code=int(found[1]) if found else 1)
            return
        if fault and fault.withholds:
            fault.withholds.wait(60)
        if fault and fault.loses_answer:
            self.hang_up()
            return
        self.reply(200, answer, **headers)

    def hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def run(self, asked: dict[str, str], sql: bytes) -> tuple[bytes, dict[str, str]]:
        with closing(chdb.connect(self.server.engine)) as engine:
            for name, value in asked.items():
                if name not in TRANSPORT and not name.startswith("param_"):
                    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
                    engine.query(f"SET {name} = '{quoted}'")
            if asked.get("database"):
                engine.query(f"USE `{asked['database']}`")
            if insert := INSERT.match(sql):
                self.server.inserts += 1
                sent = sql[insert.end() :]
                with engine.send_insert(insert["statement"].decode(), insert["format"].decode()) as into:
                    into.append(clickhouse_native.unframed(sent) if asked.get("decompress") == "1" else sent)
                    into.finish()
                return b"", {}
            text = sql.decode()
            found = FORMAT.search(text)
            kind = found[1] if found else asked.get("default_format", "TabSeparated")
            if not found and int(asked.get("client_protocol_version", 0)) >= clickhouse_native.NEWER:
                return self.block(asked, json.loads(engine.query(text, "JSONCompact").bytes())), {}
            parameters = {name[6:]: value for name, value in asked.items() if name.startswith("param_")}
            return engine.query(text, kind, params=parameters).bytes() or b"", {"X-ClickHouse-Format": kind}

    def block(self, asked: dict[str, str], answer: dict[str, Any]) -> bytes:
        """The answer to a client whose protocol is newer than what the engine writes when it is embedded."""
        columns = [(column["name"], column["type"]) for column in answer["meta"]]
        content = clickhouse_native.block(columns, answer["data"])
        return clickhouse_native.framed(content) if asked.get("compress") == "1" else content

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        else:
            chunks: list[bytes] = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            data = b"".join(chunks)
        return DECODERS[self.headers.get("Content-Encoding", "")](data)

    def reply(self, status: int, content: bytes, code: int = 0, **headers: str) -> None:
        self.send_response(status)
        told = {"X-ClickHouse-Summary": json.dumps({}), "X-ClickHouse-Timezone": "UTC", **headers}
        for name, value in (told | ({"X-ClickHouse-Exception-Code": str(code)} if code else {})).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
