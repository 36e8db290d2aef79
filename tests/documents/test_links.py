"""Relative links in the documents lead to files and headings that exist."""

from tests.documents.markdown import ROOT, documents, headings, links


def test_relative_links_have_targets() -> None:
    for document in documents():
        for link in links(document):
            if "://" in link:
                continue
            name, _, anchor = link.partition("#")
            target = (document.parent / name).resolve() if name else document
            assert target.exists(), f"{document}: {link}: no such file"
            assert not anchor or anchor in headings(target), f"{document}: {link}: no such heading"


def test_readme_fits_on_two_screens() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 100
