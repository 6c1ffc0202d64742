"""Runs the command of a component: run.py COMPONENT [WORD…]"""
import sys

from wasmtime import Engine, Store, WasiConfig
from wasmtime.component import Component, Linker

wasi = WasiConfig()
wasi.argv = sys.argv[1:]
wasi.inherit_env()
wasi.inherit_stdin()
wasi.inherit_stdout()
wasi.inherit_stderr()
engine = Engine()
store = Store(engine)
store.set_wasi(wasi)
store.set_wasi_http()
linker = Linker(engine)
linker.add_wasip2()
linker.add_wasi_http()
instance = linker.instantiate(store, Component.from_file(engine, sys.argv[1]))
command = instance.get_export_index(store, "wasi:cli/run@0.2.6")
result = instance.get_func(store, instance.get_export_index(store, "run", command))(store)
sys.exit(result.tag != "ok")
