// What the player sends. Relay updates the store by the ids in the answers; directives and updaters do the rest.
import { graphql } from './artifacts.js';

export const heartbeat = graphql`
  mutation PlayerMutationsHeartbeatMutation($input: RecordLectureProgressInput!) {
    recordLectureProgress(input: $input) {
      progress {
        ...PlayerPage_progress
        lecture {
          viewerProgress {
            id
          }
        }
      }
      enrollment {
        ...PlayerPage_enrollment
      }
      errors {
        code
        message
        path
      }
    }
  }
`;

export const createNote = graphql`
  mutation PlayerMutationsCreateNoteMutation($input: CreateNoteInput!) {
    createNote(input: $input) {
      note {
        id
        ...PlayerPage_note
      }
      errors {
        code
        message
        path
      }
    }
  }
`;

export const deleteNote = graphql`
  mutation PlayerMutationsDeleteNoteMutation($input: NoteIdInput!) {
    deleteNote(input: $input) {
      deletedId @deleteRecord
      errors {
        code
        message
        path
      }
    }
  }
`;

export const askQuestion = graphql`
  mutation PlayerMutationsAskMutation($input: AskQuestionInput!, $connections: [ID!]!) {
    askQuestion(input: $input) {
      question @prependNode(connections: $connections, edgeTypeName: "QAQuestionEdge") {
        id
        ...PlayerPage_question
      }
      errors {
        code
        message
        path
      }
    }
  }
`;

export const deleteQuestion = graphql`
  mutation PlayerMutationsDeleteQuestionMutation($input: QAQuestionIdInput!, $connections: [ID!]!) {
    deleteQaQuestion(input: $input) {
      deletedId @deleteEdge(connections: $connections)
      errors {
        code
        message
        path
      }
    }
  }
`;
