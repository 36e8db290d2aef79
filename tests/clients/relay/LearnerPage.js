// The learner's dashboard. The viewer is a User, which is a node, so that lists are paged through Query.node.
import { graphql } from './artifacts.js';

export const query = graphql`
  query LearnerPageQuery($count: Int = 6) {
    me {
      id
      fullName
      email
      isEmailVerified
      ...LearnerPage_current @arguments(count: $count)
      ...LearnerPage_achievements
      ...LearnerPage_posts
    }
  }
`;

export const current = graphql`
  fragment LearnerPage_current on User
  @argumentDefinitions(count: { type: "Int", defaultValue: 6 }, cursor: { type: "String" })
  @refetchable(queryName: "LearnerPageMoreQuery") {
    enrollments(status: ACTIVE, orderBy: LAST_ACCESSED, first: $count, after: $cursor)
      @connection(key: "LearnerPage_enrollments") {
      edges {
        node {
          id
          ...LearnerPage_enrollment
        }
      }
    }
  }
`;

export const enrollment = graphql`
  fragment LearnerPage_enrollment on Enrollment {
    status
    accessExpiresAt
    lastAccessedAt
    progress {
      percent
      completedLectures
      totalLectures
      watchSeconds
      currentLecture {
        title
        type
        durationSeconds
        next {
          title
        }
      }
    }
    course {
      slug
      title
      thumbnailUrl
      instructor {
        fullName
      }
      quizzes {
        title
        lecture {
          id
        }
        viewerHasPassed
        viewerAttempts {
          number
          status
          deadlineAt
          remainingSeconds
          scorePercent
        }
      }
    }
  }
`;

export const achievements = graphql`
  fragment LearnerPage_achievements on User {
    completed: enrollments(status: COMPLETED, orderBy: LAST_ACCESSED, first: 6) {
      totalCount
      nodes {
        completedAt
        course {
          slug
          title
        }
      }
    }
    certificates(first: 6) {
      totalCount
      nodes {
        courseTitle
        issuedAt
        status
        pdfUrl
        verificationCode
      }
    }
  }
`;

export const posts = graphql`
  fragment LearnerPage_posts on User {
    qaQuestions(first: 5) {
      nodes {
        title
        isAnswered
        answerCount
        course {
          title
        }
        lecture {
          title
        }
      }
    }
    notes(first: 5) {
      nodes {
        content
        positionSeconds
        updatedAt
        course {
          title
        }
        lecture {
          title
        }
      }
    }
  }
`;
