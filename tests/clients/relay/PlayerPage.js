// The player: one lecture, and around it the curriculum, the learner's notes, the questions and the quiz.
import { graphql } from './artifacts.js';

export const query = graphql`
  query PlayerPageQuery($lectureId: ID!) {
    node(id: $lectureId) {
      ... on Lecture @alias(as: "lecture") {
        ...PlayerPage_lecture
        ...PlayerPage_notes
        ...PlayerPage_discussion
      }
    }
  }
`;

export const lecture = graphql`
  fragment PlayerPage_lecture on Lecture {
    id
    title
    type
    description
    durationSeconds
    isDownloadable
    content {
      videoUrl
      body
      resourceUrl
    }
    lock {
      reason
      message
    }
    viewerProgress {
      ...PlayerPage_progress
    }
    previous {
      title
    }
    next {
      title
    }
    quiz {
      ...PlayerPage_quiz
    }
    course {
      slug
      title
      allowNotes
      allowQa
      viewerEnrollment {
        ...PlayerPage_enrollment
      }
      sections {
        title
        lectures {
          title
          type
          durationSeconds
          viewerProgress {
            isCompleted
          }
        }
      }
    }
  }
`;

export const progress = graphql`
  fragment PlayerPage_progress on LectureProgress {
    isCompleted
    positionSeconds
    watchSeconds
  }
`;

export const enrollment = graphql`
  fragment PlayerPage_enrollment on Enrollment {
    status
    progress {
      percent
      completedLectures
      totalLectures
    }
    certificate {
      pdfUrl
    }
  }
`;

export const quiz = graphql`
  fragment PlayerPage_quiz on Quiz {
    title
    description
    questionCount
    totalPoints
    passingScore
    viewerTimeLimitSeconds
    viewerAttemptsLeft
    viewerHasPassed
    viewerAttempts {
      number
      status
      startedAt
      scorePercent
      passed
    }
  }
`;

export const notes = graphql`
  fragment PlayerPage_notes on Lecture {
    viewerNotes {
      id
      ...PlayerPage_note
    }
  }
`;

export const note = graphql`
  fragment PlayerPage_note on Note {
    content
    positionSeconds
    createdAt
  }
`;

export const discussion = graphql`
  fragment PlayerPage_discussion on Lecture
  @argumentDefinitions(count: { type: "Int", defaultValue: 10 }, cursor: { type: "String" })
  @refetchable(queryName: "PlayerPageMoreQuestionsQuery") {
    qaQuestions(first: $count, after: $cursor, orderBy: NEWEST) @connection(key: "PlayerPage_qaQuestions") {
      __id
      edges {
        node {
          id
          ...PlayerPage_question
        }
      }
    }
  }
`;

export const question = graphql`
  fragment PlayerPage_question on QAQuestion {
    title
    content
    positionSeconds
    createdAt
    isAnswered
    voteCount
    viewerHasVoted
    author {
      fullName
    }
    acceptedAnswer {
      content
      isInstructorAnswer
      author {
        fullName
      }
    }
    answers(first: 5) {
      edges {
        node {
          content
          isAccepted
          author {
            fullName
          }
        }
      }
    }
  }
`;
