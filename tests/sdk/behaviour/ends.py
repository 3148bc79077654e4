"""Programs that end while a stream is open, in every way that a program ends."""

from __future__ import annotations

BEGIN = """
    import json, os, sys, threading
    import tokentrace
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
    from behaviour.door import Settings
    from behaviour.doors.all import DOORS
    from behaviour.verdict import reported

    class Said(SpanExporter):
        def export(self, spans):
            for span, told in zip(spans, reported(spans), strict=True):
                here = {"parent": os.getpid() == parent, "id": span.context.span_id}
                os.write(1, (json.dumps({**told, **here}) + "\\n").encode())
            return SpanExportResult.SUCCESS

    parent = os.getpid()
    (door,) = (door for door in DOORS if door.name == sys.argv[1])
    client = door.client(Settings(sys.argv[2], "sync"))
    tokentrace.instrument(exporter=Said())
    stream = door.open(client)
    parts = iter(stream)
"""
ENDS = {
    "at its end": "next(parts)",
    "by `sys.exit`": "next(parts); sys.exit()",
    "by an error": "next(parts); sys.stderr = None; raise LookupError",
    "by Ctrl-C": "next(parts); sys.stderr = None; raise KeyboardInterrupt",
    "while a thread holds the stream": """
    thread = threading.Thread(target=lambda: [next(parts), read.set(), threading.Event().wait()], daemon=True)
    read = threading.Event()
    thread.start()
    read.wait()
    """,
    "by `uninstrument`": "next(parts); tokentrace.uninstrument(); sum(1 for _ in parts)",
    "with a provider of the application": """
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    trace.set_tracer_provider(TracerProvider())
    again = iter(door.open(client))
    next(again)
    del parts, stream
    """,
    "after a child that was forked": """
    next(parts)
    if (child := os.fork()) == 0:
        del parts, stream
        sys.exit()
    os.waitpid(child, 0)
    """,
    "after a child of `multiprocessing`": """
    next(parts)
    import multiprocessing
    def work():
        global parts, stream
        del parts, stream
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join()
    """,
    "in a child of `multiprocessing`": """
    import multiprocessing
    for part in parts:
        pass
    tokentrace.flush(10)
    def work():
        global held
        held = iter(door.open(client))
        next(held)
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join()
    """,
}
