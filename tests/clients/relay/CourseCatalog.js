// A page as a client writes it. Relay's compiler takes the schema at its word: nodes with ids behind `Query.node`,
// connections with cursors, page info, and arguments it can page by.
import { graphql, useLazyLoadQuery, usePaginationFragment } from 'react-relay';

const CATALOG = graphql`
  query CourseCatalogQuery($slug: String!) {
    ...CourseCatalog_query
    category(slug: $slug) {
      ...CourseCatalog_category
    }
  }
`;

// Paged from the root: the next page is asked for by Query itself.
const COURSES = graphql`
  fragment CourseCatalog_query on Query
  @argumentDefinitions(
    count: { type: "Int", defaultValue: 10 }
    cursor: { type: "String" }
    search: { type: "String" }
    filter: { type: "CourseFilter" }
  )
  @refetchable(queryName: "CourseCatalogPaginationQuery") {
    courses(first: $count, after: $cursor, search: $search, filter: $filter)
      @connection(key: "CourseCatalog_courses") {
      totalCount
      edges {
        node {
          ...CourseCatalog_course
        }
      }
    }
  }
`;

// Paged from an object: the next page is asked for by its id, through Query.node.
const SHELF = graphql`
  fragment CourseCatalog_category on Category
  @argumentDefinitions(count: { type: "Int", defaultValue: 10 }, cursor: { type: "String" })
  @refetchable(queryName: "CourseCatalogShelfPaginationQuery") {
    name
    courses(first: $count, after: $cursor, orderBy: TITLE) @connection(key: "CourseCatalog_category_courses") {
      edges {
        node {
          ...CourseCatalog_course
        }
      }
    }
  }
`;

// The curriculum: lists of bounded length are plain lists.
const COURSE = graphql`
  fragment CourseCatalog_course on Course {
    title
    price {
      amount
      currency
    }
    publishedAt
    instructor {
      fullName
    }
    sections {
      title
      lectures {
        title
        type
        content {
          body
        }
        lock {
          reason
        }
      }
    }
  }
`;
