"""Drives the typed interface: typed.py COMPONENT OPTIONS STOP-AFTER

OPTIONS is a record as JSON. Prints every event and note, then the failure if there is one, then the
summary, each as one line of JSON; calls `stop` when STOP-AFTER events have come.
"""
import json
import sys

from wasmtime import Engine, Store, WasiConfig
from wasmtime.component import Component, Linker, Record, Variant


def record(members):
    value = Record()
    for name, member in members.items():
        setattr(value, name, lifted(member))
    return value


def lifted(value):
    if isinstance(value, dict):
        return record(value)
    return [lifted(member) for member in value] if isinstance(value, list) else value


def plain(value):
    if isinstance(value, Variant):
        return {value.tag: plain(value.payload)}
    if isinstance(value, Record):
        return {name: plain(member) for name, member in vars(value).items()}
    return value


def tell(**line):
    print(json.dumps(line))


engine = Engine()
store = Store(engine)
store.set_wasi(WasiConfig())
store.set_wasi_http()
linker = Linker(engine)
linker.add_wasip2()
linker.add_wasi_http()
instance = linker.instantiate(store, Component.from_file(engine, sys.argv[1]))
resync = instance.get_export_index(store, "mc-wasi:replicate/resync@0.2.0")


def call(name, *arguments):
    function = instance.get_func(store, instance.get_export_index(store, name, resync))
    result = function(store, *arguments)
    function.post_return(store)
    return result


job = call("[static]job.start", record(json.loads(sys.argv[2])))
if isinstance(job, Variant):
    tell(failure=plain(job))
    sys.exit(1)
stop_after = int(sys.argv[3])
come = 0
while events := call("[method]job.next", job, 500):
    if isinstance(events, Variant):
        tell(failure=plain(events))
        break
    for event in events:
        tell(event=plain(event))
    for note in call("[method]job.notes", job):
        tell(note=plain(note))
    come += len(events)
    if come >= stop_after > 0:
        call("[method]job.stop", job)
tell(summary=plain(call("[method]job.summary", job)))
job.drop(store)
