import { ACCOUNT_EXAMPLES } from './accountExamples.js';
import { ADMIN_EXAMPLES } from './adminExamples.js';
import { INVITATION_EXAMPLES } from './invitationExamples.js';
import { MONEY_EXAMPLES } from './moneyExamples.js';

/**
 * The queries of the pane "Examples". The first one is also the first tab of a first visit.
 *
 * Each is `{title, about, viewer?, query, variables, headers?}`: `about` is one line; `viewer` is the seed user who has
 * to sign in before, if one has to; `query` has one named operation; `variables` and `headers` are plain objects.
 * `npm test` validates each query with the service's schema. All of them work on the demo data, in this order. Empty
 * ids in the variables come from the answers of earlier examples.
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
    about: 'Ten courses at a time, the most popular ones first, and what to filter them by.',
    variables: { after: null },
    query: `# For the next page, put endCursor
# into the variable "after".
query Catalog($after: String) {
  # How many courses each filter would
  # find. It takes "filter" and "search"
  # as "courses" does.
  courseFacets {
    totalCount
    difficulties {
      difficulty
      count
    }
    languages {
      language
      count
    }
    categories {
      category {
        slug
        name
      }
      count
    }
    freeCount
    paidCount
  }
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
  {
    title: 'My quizzes and results',
    about: 'Quizzes of a course, with my attempts and what was right.',
    viewer: 'learner',
    variables: { slug: 'python-from-zero' },
    query: `query MyResults($slug: String!) {
  course(slug: $slug) {
    quizzes {
      id
      title
      viewerHasPassed
      viewerAttemptsLeft
      viewerTimeLimitSeconds
      viewerAttempts {
        number
        status
        scorePercent
        passed
        questions {
          prompt
          answer {
            optionIds
            boolean
            text
          }
          # Null until the review policy
          # of the quiz allows it.
          result {
            earnedPoints
            correctOptionIds
            correctAnswer
            explanation
            feedback
          }
        }
      }
    }
  }
}
`,
  },
  {
    title: 'Write a quiz: create it',
    about: 'A new quiz of a course, which learners do not see yet.',
    viewer: 'instructor',
    variables: { courseId: '' },
    query: `# The id of a course of yours, from:
#   { course(slug: "python-from-zero") { id } }
mutation CreateQuiz($courseId: ID!) {
  createQuiz(input: {
    courseId: $courseId
    title: "Loops in ten minutes"
    timeLimitSeconds: 600
    maxAttempts: 3
    passingScore: 50
    shuffleQuestions: true
    reviewPolicy: AFTER_SUBMIT
  }) {
    quiz {
      id
      title
      isPublished
    }
    errors {
      code
      message
      path
    }
  }
}
`,
  },
  {
    title: 'Write a quiz: questions',
    about: 'A question of each type. Then the quiz is published.',
    viewer: 'instructor',
    variables: { quizId: '' },
    query: `# The id of the quiz that you have created.
mutation AddQuestions($quizId: ID!) {
  choice: addQuestion(input: {quizId: $quizId, question: {multipleChoice: {
    prompt: "Which words begin a loop?"
    points: "2"
    partialCredit: RIGHT_MINUS_WRONG
    options: [
      {text: "for", isCorrect: true}
      {text: "while", isCorrect: true}
      {text: "repeat", isCorrect: false}
    ]
  }}}) {
    ...added
  }
  trueFalse: addQuestion(input: {quizId: $quizId, question: {trueFalse: {
    prompt: "range(3) ends with 3."
    correctAnswer: false
    explanation: "It ends with 2."
  }}}) {
    ...added
  }
  shortAnswer: addQuestion(input: {quizId: $quizId, question: {shortAnswer: {
    prompt: "Which word ends a loop at once?"
    acceptedAnswers: ["break", "break statement"]
  }}}) {
    ...added
  }
  essay: addQuestion(input: {quizId: $quizId, question: {essay: {
    prompt: "When is a while loop better?"
    points: "4"
  }}}) {
    ...added
  }
  setQuizPublished(input: {quizId: $quizId, isPublished: true}) {
    quiz {
      id
      isPublished
      questionCount
      totalPoints
    }
    errors {
      code
      message
      path
    }
  }
}

fragment added on QuestionPayload {
  question {
    id
    type
    position
  }
  errors {
    code
    message
    path
  }
}
`,
  },
  {
    title: 'Take a quiz: start',
    about: 'A new attempt, or the one that is open. The clock runs.',
    viewer: 'learner',
    variables: { quizId: '' },
    query: `# The id of a quiz of a course in which
# you are enrolled.
mutation StartAttempt($quizId: ID!) {
  startQuizAttempt(input: {quizId: $quizId}) {
    attempt {
      id
      number
      remainingSeconds
      questions {
        id
        type
        prompt
        points
        allowsSeveral
        options {
          id
          text
        }
      }
    }
    errors {
      code
      message
      path
    }
  }
}
`,
  },
  {
    title: 'Take a quiz: save an answer',
    about: 'One answer. Each change is sent, and the last one counts.',
    viewer: 'learner',
    variables: { attemptId: '', questionId: '', answer: { boolean: false } },
    query: `# Run it for each question of the attempt.
# The answer depends on the type:
#   {"optionIds": ["…"]}   {"boolean": true}
#   {"text": "…"}
mutation SaveAnswer($attemptId: ID!, $questionId: ID!, $answer: AnswerInput!) {
  saveAnswer(input: {
    attemptId: $attemptId
    questionId: $questionId
    answer: $answer
  }) {
    attempt {
      remainingSeconds
    }
    errors {
      code
      message
      path
    }
  }
}
`,
  },
  {
    title: 'Take a quiz: submit and review',
    about: 'Submit an attempt, and see what was right.',
    viewer: 'learner',
    variables: { attemptId: '' },
    query: `mutation SubmitAttempt($attemptId: ID!) {
  submitQuizAttempt(input: {attemptId: $attemptId}) {
    attempt {
      # GRADING while an essay waits.
      status
      submittedAt
      earnedPoints
      totalPoints
      scorePercent
      passed
      questions {
        prompt
        result {
          isCorrect
          earnedPoints
          correctOptionIds
          correctAnswer
          explanation
        }
      }
    }
    errors {
      code
      message
      path
    }
  }
}
`,
  },
  {
    title: 'Grade essays: what waits',
    about: 'Attempts with essays that wait for a grade, oldest first.',
    viewer: 'instructor',
    variables: undefined,
    query: `query EssaysToGrade {
  me {
    teaching {
      attemptsToGrade(first: 10) {
        totalCount
        nodes {
          id
          submittedAt
          user {
            fullName
          }
          quiz {
            title
          }
          questions {
            id
            type
            prompt
            points
            answer {
              text
            }
          }
        }
      }
    }
  }
}
`,
  },
  {
    title: 'Grade essays: grade one',
    about: 'Points and feedback. The attempt then has its result.',
    viewer: 'instructor',
    variables: { attemptId: '', questionId: '', points: '3', feedback: 'Clear. An example would help.' },
    query: `# The ids of an attempt that waits,
# and of its question of type ESSAY.
mutation GradeEssay($attemptId: ID!, $questionId: ID!, $points: Decimal!, $feedback: String) {
  gradeAnswer(input: {
    attemptId: $attemptId
    questionId: $questionId
    points: $points
    feedback: $feedback
  }) {
    attempt {
      status
      earnedPoints
      totalPoints
      scorePercent
      passed
    }
    errors {
      code
      message
      path
    }
  }
}
`,
  },
  {
    title: 'Statistics of quizzes',
    about: 'Scores, and how well each question works.',
    viewer: 'instructor',
    variables: { slug: 'python-from-zero', quizId: '' },
    query: `# Run it, then put the id of a quiz
# into the variable "quizId".
query QuizStatistics($slug: String!, $quizId: ID!) {
  course(slug: $slug) {
    quizzes {
      id
      title
      statistics {
        attemptCount
        learnerCount
        passedLearnerCount
        meanScorePercent
        medianScorePercent
        meanDurationSeconds
      }
    }
  }
  quiz: node(id: $quizId) {
    ... on Quiz {
      title
      statistics {
        questions {
          question {
            prompt
          }
          meanPointsPercent
          # Negative if good learners get it
          # wrong: is the answer key right?
          discrimination
          unansweredCount
          options {
            option {
              text
              isCorrect
            }
            chosenCount
          }
        }
      }
    }
  }
}
`,
  },
  ...INVITATION_EXAMPLES,
  ...MONEY_EXAMPLES,
  ...ACCOUNT_EXAMPLES,
  ...ADMIN_EXAMPLES,
];
