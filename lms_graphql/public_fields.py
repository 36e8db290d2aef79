"""Fields that are the same for all viewers of the public catalog, so that a CDN may cache them.

A field is listed only if all viewers who see its object see the same value, which may be some minutes old.
`tests/stored_documents/test_public_responses.py` compares the list with the access matrix.
"""

_PAGE = ("edges", "nodes", "pageInfo", "totalCount")
_COURSE = (
    "id slug title shortDescription description language difficulty status price isFree isFeatured allowQa allowNotes"
    " thumbnailUrl previewVideoUrl instructor category lectureCount durationSeconds enrollmentCount publishedAt"
    " createdAt updatedAt version sectionCount sections"
)
PUBLIC_FIELDS: dict[str, frozenset[str]] = {
    name: frozenset(fields.split() if isinstance(fields, str) else fields)
    for name, fields in {
        "Query": "categories categoryTree category course courses courseFacets",
        "Category": "id slug name description parent depth children ancestors courseCount courses",
        "Course": _COURSE,
        "CourseConnection": _PAGE,
        "CourseEdge": "cursor node",
        "CourseFacets": "totalCount difficulties languages categories freeCount paidCount",
        "CategoryFacet": "category count",
        "DifficultyFacet": "difficulty count",
        "LanguageFacet": "language count",
        "Lecture": "id title description type position durationSeconds isPreview isDownloadable updatedAt version"
        " section course next previous",
        "Money": "amount currency",
        "PageInfo": "hasNextPage hasPreviousPage startCursor endCursor",
        "Section": "id title description position lectureCount durationSeconds updatedAt version course lectures",
        "User": "id username firstName lastName fullName role bio createdAt profileImageUrl courses",
    }.items()
}
"""Names of the public fields by type."""
