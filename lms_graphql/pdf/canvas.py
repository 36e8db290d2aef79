"""The canvas on which a PDF is drawn."""

from typing import IO, NamedTuple

from reportlab import rl_config
from reportlab.pdfgen.canvas import Canvas

from lms_graphql.pdf import fonts

# Binary streams instead of ASCII: the ASCII encoding takes longer than everything else, and is not needed any more.
rl_config.useA85 = 0


class Metadata(NamedTuple):
    """Properties of a document that programs show. `author` is the name of the platform or of its operator."""

    title: str
    author: str
    subject: str
    keywords: str


def new_canvas(file: IO[bytes], page_size: tuple[float, float], metadata: Metadata) -> Canvas:
    """Return the canvas of a document. The same drawing on it always gives the same bytes."""
    fonts.load_font(fonts.TEXT)
    canvas = Canvas(
        file,
        pagesize=page_size,
        invariant=1,
        pageCompression=1,
        lang="en",
        initialFontName=fonts.TEXT,  # type: ignore[arg-type] # the stubs declare it as a number
    )
    canvas.setTitle(metadata.title)
    canvas.setAuthor(metadata.author)
    canvas.setSubject(metadata.subject)
    canvas.setKeywords(metadata.keywords)
    canvas.setCreator(metadata.author)
    return canvas
