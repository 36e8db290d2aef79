// The instructor's dashboard. InstructorDashboard is no node, so its lists are paged from the User above it.
import { graphql } from './artifacts.js';

export const query = graphql`
  query InstructorPageQuery($count: Int = 10) {
    me {
      id
      fullName
      commissionRate
      teaching {
        courseCount
        learnerCount
        enrollmentCount
        completionCount
        ...InstructorPage_income
      }
      ...InstructorPage_courses @arguments(count: $count)
      ...InstructorPage_questions
      ...InstructorPage_attempts
    }
  }
`;

export const courses = graphql`
  fragment InstructorPage_courses on User
  @argumentDefinitions(count: { type: "Int", defaultValue: 10 }, cursor: { type: "String" })
  @refetchable(queryName: "InstructorPageMoreCoursesQuery") {
    courses(first: $count, after: $cursor) @connection(key: "InstructorPage_courses") {
      edges {
        node {
          id
          slug
          title
          status
          version
          enrollmentCount
          updatedAt
          price {
            amount
            currency
          }
          publishProblems {
            code
            message
            subject {
              id
            }
          }
          analytics {
            asOf
            activeCount
            completionCount
            averageProgressPercent
            grossRevenue {
              amount
              currency
            }
            refundedRevenue {
              amount
              currency
            }
            lectures {
              startedCount
              completedCount
              averageWatchSeconds
              lecture {
                title
              }
            }
          }
        }
      }
    }
  }
`;

export const questions = graphql`
  fragment InstructorPage_questions on User
  @argumentDefinitions(count: { type: "Int", defaultValue: 10 }, cursor: { type: "String" })
  @refetchable(queryName: "InstructorPageMoreQuestionsQuery") {
    teaching {
      openQuestions(first: $count, after: $cursor) @connection(key: "InstructorPage_openQuestions") {
        edges {
          node {
            id
            title
            createdAt
            isAnswered
            answerCount
            author {
              fullName
            }
            course {
              title
            }
            lecture {
              title
            }
          }
        }
      }
    }
  }
`;

export const attempts = graphql`
  fragment InstructorPage_attempts on User
  @argumentDefinitions(count: { type: "Int", defaultValue: 10 }, cursor: { type: "String" })
  @refetchable(queryName: "InstructorPageMoreAttemptsQuery") {
    teaching {
      attemptsToGrade(first: $count, after: $cursor) @connection(key: "InstructorPage_attemptsToGrade") {
        edges {
          node {
            number
            status
            submittedAt
            user {
              fullName
            }
            quiz {
              title
              course {
                title
              }
            }
            questions {
              id
              type
              prompt
              points
              answer {
                text
              }
              result {
                earnedPoints
                feedback
              }
            }
          }
        }
      }
    }
  }
`;

export const income = graphql`
  fragment InstructorPage_income on InstructorDashboard {
    balances {
      currency
      pending {
        amount
        currency
      }
      available {
        amount
        currency
      }
      paid {
        amount
        currency
      }
    }
    earnings(first: 10) {
      nodes {
        status
        availableAt
        netAmount {
          amount
          currency
        }
        amount {
          amount
          currency
        }
        course {
          title
        }
        transaction {
          reference
          createdAt
        }
      }
    }
    payouts(first: 3) {
      nodes {
        reference
        status
        processedAt
        statementUrl
        amount {
          amount
          currency
        }
      }
    }
  }
`;

export const answer = graphql`
  mutation InstructorPageAnswerMutation($input: AnswerQuestionInput!) {
    answerQuestion(input: $input) {
      answer {
        content
        isInstructorAnswer
        question {
          isAnswered
          answerCount
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

export const rename = graphql`
  mutation InstructorPageRenameMutation($input: UpdateCourseInput!) {
    updateCourse(input: $input) {
      course {
        title
        slug
        version
      }
      errors {
        code
        message
        path
      }
    }
  }
`;
