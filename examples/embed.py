"""Drives the job from Python: live progress from typed events, then the summary.

    pip install wasmtime
    ACCESS_KEY=… SECRET_KEY=… python embed.py COMPONENT http://127.0.0.1:9000 mybucket
"""
import os
import sys

from wasmtime import Config, Engine, Store, WasiConfig
from wasmtime.component import Component, Linker, Record, Variant


def record(**members):
    """A WIT record: `access_key` becomes `access-key`."""
    value = Record()
    for name, member in members.items():
        setattr(value, name.replace("_", "-"), member)
    return value


def checked(result):
    """The value of a `result`, or the failure with its cause."""
    if isinstance(result, Variant):
        text = result.payload if isinstance(result.payload, str) else result.payload.message
        sys.exit(f"{result.tag}: {text}")
    return result


path, endpoint, bucket = sys.argv[1:4]
engine = Engine(Config())
store = Store(engine)
store.set_wasi(WasiConfig())  # no argument, no variable, no file
store.set_wasi_http()
linker = Linker(engine)
linker.add_wasip2()
linker.add_wasi_http()
instance = linker.instantiate(store, Component.from_file(engine, path))
resync = instance.get_export_index(store, "mc-wasi:replicate/resync@0.2.0")


def method(name, *arguments):
    function = instance.get_func(store, instance.get_export_index(store, name, resync))
    result = function(store, *arguments)
    function.post_return(store)
    return result


keys = record(access_key=os.environ["ACCESS_KEY"], secret_key=os.environ["SECRET_KEY"], session_token=None)
options = record(endpoint=endpoint, credentials=keys, region=None, bucket=bucket, prefix="", arn=None,
                 filter=None, versions=None, mode="trigger", concurrent=10, rate_limit=None, max_queue=None)
job = checked(method("[static]job.start", options))
while events := checked(method("[method]job.next", job, 500)):
    for event in (event for event in events if event.kind == "failed"):
        print(f"{event.key}: {event.error.tag}")
    print(f"{getattr(method('[method]job.summary', job), 'triggered')} triggered", file=sys.stderr)
summary = method("[method]job.summary", job)
print(f"{summary.state}: {summary.triggered} of {summary.total} triggered, {summary.failed} failed")
job.drop(store)
sys.exit(summary.state != "complete" or summary.failed > 0)
