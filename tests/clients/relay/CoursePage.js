// The page of a course. Its questions are paged from the course, by its id, through Query.node.
import { graphql } from './artifacts.js';

export const query = graphql`
  query CoursePageQuery($slug: String!) {
    me {
      fullName
      role
    }
    course(slug: $slug) {
      id
      ...CoursePage_header
      ...CoursePage_offer
      ...CoursePage_curriculum
      ...CoursePage_instructor
      ...CoursePage_discussion
    }
  }
`;

export const header = graphql`
  fragment CoursePage_header on Course {
    slug
    title
    shortDescription
    description
    thumbnailUrl
    previewVideoUrl
    difficulty
    language
    durationSeconds
    lectureCount
    sectionCount
    enrollmentCount
    publishedAt
    updatedAt
    category {
      name
      slug
      ancestors {
        name
        slug
      }
    }
  }
`;

export const offer = graphql`
  fragment CoursePage_offer on Course @refetchable(queryName: "CoursePageOfferQuery") {
    isFree
    price {
      amount
      currency
    }
    viewerCanEdit
    viewerEnrollment {
      id
      status
      source
      accessExpiresAt
      completedAt
      progress {
        percent
        completedLectures
        totalLectures
        currentLecture {
          title
        }
      }
      certificate {
        status
        pdfUrl
      }
    }
  }
`;

export const curriculum = graphql`
  fragment CoursePage_curriculum on Course {
    sections {
      title
      description
      position
      lectureCount
      durationSeconds
      lectures {
        title
        type
        position
        durationSeconds
        isPreview
        lock {
          reason
          message
        }
        viewerProgress {
          isCompleted
        }
      }
    }
    quizzes {
      title
      questionCount
      viewerHasPassed
    }
  }
`;

export const instructor = graphql`
  fragment CoursePage_instructor on Course {
    instructor {
      username
      fullName
      bio
      profileImageUrl
      courses(first: 3, status: PUBLISHED) {
        totalCount
        nodes {
          slug
          title
          thumbnailUrl
        }
      }
    }
  }
`;

export const discussion = graphql`
  fragment CoursePage_discussion on Course
  @argumentDefinitions(count: { type: "Int", defaultValue: 10 }, cursor: { type: "String" })
  @refetchable(queryName: "CoursePageMoreQuestionsQuery") {
    allowQa
    qaQuestions(first: $count, after: $cursor, orderBy: MOST_VOTED) @connection(key: "CoursePage_qaQuestions") {
      edges {
        node {
          title
          content
          createdAt
          isAnswered
          isFeatured
          answerCount
          voteCount
          viewerHasVoted
          author {
            fullName
            profileImageUrl
          }
          lecture {
            title
          }
        }
      }
    }
  }
`;

export const enroll = graphql`
  mutation CoursePageEnrollMutation($input: EnrollInput!) {
    enroll(input: $input) {
      enrollment {
        course {
          ...CoursePage_offer
          ...CoursePage_curriculum
        }
      }
      errors {
        code
        message
        path
      }
    }
  }
`;
