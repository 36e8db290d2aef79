/**
 * The queries of the pane "Examples". The first one is also the first tab of a first visit.
 *
 * Each is `{title, about, query, variables, headers?}`: `about` is one line; `query` has one named operation;
 * `variables` and `headers` are plain objects. `npm test` validates each query with the service's schema.
 * All of them work for an anonymous viewer on the demo data.
 */
export const EXAMPLES = [
  {
    title: 'The course tree',
    about: 'A course, its sections and their lectures in one request.',
    variables: { slug: 'python-from-zero' },
    query: `query CourseTree($slug: String!) {
  course(slug: $slug) {
    title
    instructor {
      fullName
    }
    sections {
      title
      lectures {
        title
        type
        durationSeconds
        isPreview
        # Null without access:
        # the lock then says why.
        content {
          videoUrl
          body
          resourceUrl
        }
        lock {
          reason
          message
        }
      }
    }
  }
}
`,
  },
  {
    title: 'The catalog, page by page',
    about: 'Ten courses at a time, the most popular ones first.',
    variables: { after: null },
    query: `# For the next page, put endCursor
# into the variable "after".
query Catalog($after: String) {
  courses(first: 10, after: $after, orderBy: MOST_ENROLLED) {
    totalCount
    pageInfo {
      hasNextPage
      endCursor
    }
    nodes {
      slug
      title
      price {
        amount
        currency
      }
      difficulty
      instructor {
        fullName
      }
      category {
        name
        ancestors {
          name
        }
      }
      enrollmentCount
    }
  }
}
`,
  },
  {
    title: 'Search',
    about: 'Courses by words; the last word may be unfinished.',
    variables: { text: 'how to lear' },
    query: `query SearchCourses($text: String!) {
  courses(search: $text, first: 10) {
    totalCount
    nodes {
      slug
      title
      shortDescription
    }
  }
}
`,
  },
  {
    title: 'Filter by category and price',
    about: 'Courses within a range of prices, the cheapest first.',
    variables: { category: 'programming', filter: { minPrice: '10', maxPrice: '100' } },
    query: `# For one category and all below it,
# put its id into the filter:
#   "categoryId": "…"
query FilterCourses($category: String!, $filter: CourseFilter!) {
  category(slug: $category) {
    id
    name
  }
  courses(filter: $filter, orderBy: PRICE_LOW_TO_HIGH, first: 10) {
    totalCount
    nodes {
      slug
      title
      price {
        amount
        currency
      }
      category {
        name
      }
    }
  }
}
`,
  },
  {
    title: 'The category tree',
    about: 'Three levels of categories, with the number of their courses.',
    variables: undefined,
    query: `query CategoryTree {
  categories {
    name
    slug
    courseCount
    children {
      name
      slug
      courseCount
      children {
        name
        slug
        courseCount
      }
    }
  }
}
`,
  },
  {
    title: 'Anything by its id',
    about: 'Objects of any type, by the ids that other queries return.',
    variables: { slug: 'python-from-zero', ids: [] },
    query: `# Run it, then paste ids from the
# answer into the variable "ids".
query ById($slug: String!, $ids: [ID!]!) {
  course(slug: $slug) {
    id
    instructor {
      id
    }
    category {
      id
    }
    sections {
      id
      lectures {
        id
      }
    }
  }
  nodes(ids: $ids) {
    __typename
    id
    ... on Course {
      title
    }
    ... on User {
      fullName
    }
    ... on Category {
      name
    }
    ... on Section {
      title
    }
    ... on Lecture {
      title
      type
    }
  }
}
`,
  },
];
