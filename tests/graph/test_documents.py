"""The cache of parsed and validated documents: what it stores, and how much memory it takes."""

import gc
import tracemalloc

import pytest

from lms_graphql.app import document_limits
from lms_graphql.graph.documents import DocumentCache, estimate_bytes
from lms_graphql.schema import schema
from lms_graphql.settings import Settings


def document_cache(max_bytes: int = 1_000_000) -> DocumentCache:
    return DocumentCache(schema.graphql_schema, document_limits(Settings()), max_bytes=max_bytes)


def long_document(number: int) -> str:
    """Return a document that takes about 500 KB of memory."""
    return f"query Long{number} {{ nodes(ids: [{','.join(['1'] * 950)}]) {{ id }} }}"


def fragments(number: int) -> str:
    spreads = "".join(f"fragment f{n} on Category {{ id ...f{n + 1} }} " for n in range(60))
    return f"query Q{number} {{ categories {{ ...f0 }} }} {spreads} fragment f60 on Category {{ id }}"


@pytest.mark.parametrize(
    "template",
    [
        pytest.param("query Q%d { categories { id slug name position } }", id="short"),
        pytest.param("query Q%d { " + "categories { parent { parent { id } } } " * 10 + "}", id="nested"),
        pytest.param("query Q%d { categories { " + "id @include(if: true) " * 20 + "} }", id="directives"),
        pytest.param("query Q%d { nodes(ids: [" + "1," * 800 + "]) { id } }", id="list"),
        pytest.param(fragments(0).replace("Q0", "Q%d"), id="fragments"),
        pytest.param("query Q%d { categories { id } } #" + "x" * 9_000, id="comment"),
        pytest.param("query Q%d { categories { id } } #" + "\N{GRINNING FACE}" * 9_000, id="comment of emoji"),
        pytest.param("query Q%d { categories { " + "".join(f"x{n} " for n in range(25)) + "} }", id="errors"),
    ],
)
def test_estimated_memory_of_a_document_is_about_right(template: str) -> None:
    cache = document_cache()
    tracemalloc.start()
    try:
        for number in range(3):  # so that what is computed once is not measured
            cache.parse_and_validate(template % number)
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        texts = [template % number for number in range(10, 15)]
        documents = [cache.parse_and_validate(text) for text in texts]
        gc.collect()
        measured = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    estimated = sum(map(estimate_bytes, texts, documents))
    assert 0.7 * measured < estimated < 3 * measured


def test_long_documents_displace_each_other() -> None:
    cache = document_cache()
    for number in range(6):
        cache.prepare(long_document(number))
        assert cache.cached_bytes <= 1_000_000
    assert len(cache) == 2


def test_many_short_documents_are_cached() -> None:
    cache = document_cache()
    for number in range(50):
        cache.prepare(f"query Short{number} {{ categories {{ id }} }}")
    assert len(cache) == 50


def test_least_recently_used_document_is_removed_first() -> None:
    cache = document_cache()
    first = cache.prepare(long_document(1))
    second = cache.prepare(long_document(2))
    assert cache.prepare(long_document(1)) is first
    cache.prepare(long_document(3))
    assert cache.prepare(long_document(1)) is first
    assert cache.prepare(long_document(2)) is not second


def test_memory_of_removed_documents_is_not_counted() -> None:
    cache = document_cache()
    for number in range(20):
        cache.prepare(long_document(number % 4))
    cached = [long_document(2), long_document(3)]
    assert cache.cached_bytes == sum(estimate_bytes(text, cache.prepare(text)) for text in cached)


def test_removed_documents_leave_no_reference_cycles() -> None:
    cache = document_cache()
    with_variables = "query ($n: Int = 3) { courses(first: $n) { totalCount } }"
    documents = [cache.parse_and_validate(text) for text in (long_document(1), fragments(1), with_variables)]
    gc.collect()  # because validation leaves some, which are young
    gc.disable()
    try:
        documents.clear()
        assert gc.collect() == 0
    finally:
        gc.enable()
