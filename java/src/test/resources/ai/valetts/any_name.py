"""Stands in for a package of names that cannot be installed here; whatever is asked of it is there."""

import importlib.abc
import importlib.machinery
import sys
import types


class _Name(str):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _Name(name)

    def __call__(self, *args, **kwargs):
        return args[0] if args else self

    @property
    def value(self):
        return str(self)


class _Module(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _Name(name)


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, fullname, path, target=None):
        if fullname.startswith("opentelemetry.semconv."):
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec):
        return _Module(spec.name)

    def exec_module(self, module):
        module.__path__ = []


sys.meta_path.insert(0, _Finder())
