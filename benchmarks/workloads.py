"""Workloads: the requests that every server gets."""

from dataclasses import dataclass
from typing import Any

import orjson

TREE_SLUG = "course-tree"

TREE = """
query CourseTree($slug: String!) {
  course(slug: $slug) {
    id slug title language difficulty status lectureCount
    sections {
      __typename id title description position lectureCount durationSeconds
      lectures { id title description type position durationSeconds isPreview }
    }
  }
}
"""

PAGE = """
query CatalogPage($first: Int!) {
  courses(first: $first, orderBy: NEWEST) {
    nodes {
      id slug title shortDescription difficulty language lectureCount
      instructor { id fullName }
      category { id name }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""

LECTURES = """
query AllLectures($first: Int!) {
  courses(first: $first) {
    nodes {
      id title
      instructor { id fullName }
      category { id name }
      sections { id title lectures { id title type durationSeconds } }
    }
  }
}
"""


@dataclass(frozen=True)
class Workload:
    """A GraphQL request with the expected size of its response."""

    name: str
    title: str
    operation: str
    document: str
    variables: dict[str, Any]
    objects: int
    """Number of objects with an id in a response."""

    @property
    def body(self) -> bytes:
        return orjson.dumps({"query": self.document, "operationName": self.operation, "variables": self.variables})


WORKLOADS = (
    Workload(
        "tree",
        "Course tree: 1 course, 10 sections, 100 lectures, 7 fields each",
        "CourseTree",
        TREE,
        {"slug": TREE_SLUG},
        objects=1 + 10 + 100,
    ),
    Workload(
        "page",
        "Catalog page: the 20 newest courses with instructor and category",
        "CatalogPage",
        PAGE,
        {"first": 20},
        objects=20 * 3,
    ),
    Workload(
        "lectures",
        "50 courses with all lectures: 50 courses, 500 sections, 5,000 lectures",
        "AllLectures",
        LECTURES,
        {"first": 50},
        objects=50 * (1 + 2 + 10 + 100),
    ),
)
