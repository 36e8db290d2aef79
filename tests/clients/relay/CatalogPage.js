// The catalog. Paged from the root: Query itself is asked for the next page.
import { graphql } from './artifacts.js';

export const query = graphql`
  query CatalogPageQuery($search: String, $filter: CourseFilter, $orderBy: CourseOrder, $count: Int = 12) {
    me {
      fullName
      role
    }
    categoryTree {
      ...CatalogPage_category
    }
    ...CatalogPage_courses @arguments(search: $search, filter: $filter, orderBy: $orderBy, count: $count)
    courseFacets(search: $search, filter: $filter) {
      ...CatalogPage_filters
    }
  }
`;

export const courses = graphql`
  fragment CatalogPage_courses on Query
  @argumentDefinitions(
    search: { type: "String" }
    filter: { type: "CourseFilter" }
    orderBy: { type: "CourseOrder" }
    count: { type: "Int", defaultValue: 12 }
    cursor: { type: "String" }
  )
  @refetchable(queryName: "CatalogPageMoreQuery") {
    courses(search: $search, filter: $filter, orderBy: $orderBy, first: $count, after: $cursor)
      @connection(key: "CatalogPage_courses") {
      edges {
        node {
          id
          ...CatalogPage_card
        }
      }
    }
  }
`;

export const card = graphql`
  fragment CatalogPage_card on Course {
    slug
    title
    shortDescription
    thumbnailUrl
    difficulty
    language
    durationSeconds
    lectureCount
    enrollmentCount
    isFeatured
    isFree
    price {
      amount
      currency
    }
    category {
      name
      slug
    }
    instructor {
      username
      fullName
    }
    viewerEnrollment {
      status
    }
  }
`;

// How many courses there are behind each choice of the filters. So the list and its next pages need no total.
export const filters = graphql`
  fragment CatalogPage_filters on CourseFacets {
    totalCount
    freeCount
    paidCount
    difficulties {
      difficulty
      count
    }
    languages {
      language
      count
    }
    categories {
      count
      category {
        name
        slug
      }
    }
  }
`;

export const category = graphql`
  fragment CatalogPage_category on Category {
    name
    slug
    depth
    courseCount
    parent {
      id
    }
  }
`;
