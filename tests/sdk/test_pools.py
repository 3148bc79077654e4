"""Pools whose threads belong to who submits."""

from __future__ import annotations

from concurrent import futures
from contextvars import ContextVar
from types import SimpleNamespace

from tokentrace.request import pools

REQUEST = ContextVar("request", default="none")


def test_a_pool_that_a_module_was_given_keeps_the_context_until_it_is_taken_back():
    module = SimpleNamespace(ThreadPoolExecutor=futures.ThreadPoolExecutor)
    undo = pools.carry(module)
    with module.ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(int).result()
        token = REQUEST.set("mine")
        assert pool.submit(REQUEST.get).result() == "mine"
        assert list(pool.map(lambda each: (each, REQUEST.get()), "ab")) == [("a", "mine"), ("b", "mine")]
        REQUEST.reset(token)
        assert pool.submit(REQUEST.get).result() == "none"
    undo()
    assert module.ThreadPoolExecutor is futures.ThreadPoolExecutor
