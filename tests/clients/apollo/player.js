import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gql } from '@apollo/client';
import { documents } from '../documents.js';
import { lecturesOf, pages, quizLectureId, tokens } from '../pages.js';
import { takeOperations } from '../service.js';
import { createClient, rendered, show } from './client.js';

const { lectureId } = pages.Player;

test('Player moves on before the service has stored the heartbeat', async () => {
  const client = createClient(tokens.learner);
  const { data, close } = await show(client, documents.Player, pages.Player);
  assert.equal(data().node.viewerProgress, null, 'there is none before the first report');
  const enrollment = data().node.course.viewerEnrollment;
  const viewerProgress = { __typename: 'LectureProgress', id: 'LectureProgress:new' };
  const state = { isCompleted: false, positionSeconds: 4, watchSeconds: 4 };
  const progress = { ...viewerProgress, ...state, lecture: { __typename: 'Lecture', id: lectureId, viewerProgress } };
  const watched = [{ startSeconds: 0, endSeconds: 4.25 }];
  const answer = client.mutate({
    mutation: documents.Heartbeat,
    variables: { input: { lectureId, positionSeconds: 4.25, watched } },
    optimisticResponse: {
      recordLectureProgress: { __typename: 'LectureProgressPayload', progress, enrollment, errors: [] },
    },
  });
  await rendered();
  assert.equal(data().node.viewerProgress.positionSeconds, 4);
  await answer;
  await rendered();
  const { positionSeconds, watchSeconds } = data().node.viewerProgress;
  assert.deepEqual([positionSeconds, watchSeconds], [4, 4]);
  assert.deepEqual(takeOperations(), ['Player', 'Heartbeat']);
  close();
});

test('Player marks a lecture as completed, in the outline too', async () => {
  const client = createClient(tokens.learner);
  const { data, close } = await show(client, documents.Player, pages.Player);
  const input = { lectureId, isCompleted: true };
  await client.mutate({ mutation: documents.CompleteLecture, variables: { input } });
  await rendered();
  const { course, viewerProgress } = data().node;
  assert.ok(viewerProgress.isCompleted);
  assert.ok(lecturesOf(course).find(({ id }) => id === lectureId).viewerProgress.isCompleted);
  assert.deepEqual(takeOperations(), ['Player', 'CompleteLecture']);
  close();
});

test('Player adds and removes notes', async () => {
  const client = createClient(tokens.learner);
  const { data, close } = await show(client, documents.Player, pages.Player);
  const before = data().node.viewerNotes;
  const input = { lectureId, content: 'With Apollo', positionSeconds: 3, idempotencyKey: crypto.randomUUID() };
  const { data: created } = await client.mutate({
    mutation: documents.CreateNote,
    variables: { input },
    update(cache, { data: { createNote } }) {
      if (!createNote.note) return;
      cache.modify({
        id: cache.identify(createNote.note.lecture),
        fields: { viewerNotes: (notes, { toReference }) => [...notes, toReference(createNote.note)] },
      });
    },
  });
  await rendered();
  assert.deepEqual(data().node.viewerNotes.at(-1).content, 'With Apollo');
  await client.mutate({
    mutation: documents.DeleteNote,
    variables: { input: { noteId: created.createNote.note.id } },
    update(cache, { data: { deleteNote } }) {
      cache.evict({ id: cache.identify({ __typename: 'Note', id: deleteNote.deletedId }) });
    },
  });
  await rendered();
  assert.deepEqual(data().node.viewerNotes, before);
  assert.deepEqual(takeOperations(), ['Player', 'CreateNote', 'DeleteNote']);
  close();
});

test('Player shows what is wrong with a question, and adds a right one', async () => {
  const client = createClient(tokens.learner);
  const { data, close } = await show(client, documents.Player, pages.Player);
  const shown = () => data().node.qaQuestions.edges.map(({ node }) => node.title);
  const before = shown();
  const ask = (title) =>
    client.mutate({
      mutation: documents.AskQuestion,
      variables: { input: { lectureId, title, content: 'I wonder.' } },
      update(cache, { data: { askQuestion } }) {
        if (!askQuestion.question) return;
        const edge = { __typename: 'QAQuestionEdge', node: askQuestion.question };
        cache.updateQuery({ query: documents.Player, variables: pages.Player }, (page) => {
          const { qaQuestions } = page.node;
          const edges = [edge, ...qaQuestions.edges];
          return { ...page, node: { ...page.node, qaQuestions: { ...qaQuestions, edges } } };
        });
      },
    });
  const { data: refused } = await ask(' ');
  const errors = refused.askQuestion.errors.map(({ code, path }) => [code, path]);
  assert.deepEqual(errors, [['REQUIRED', ['input', 'title']]]);
  assert.deepEqual(shown(), before);
  await ask('Asked with Apollo');
  await rendered();
  assert.deepEqual(shown(), ['Asked with Apollo', ...before]);
  assert.deepEqual(takeOperations(), ['Player', 'AskQuestion', 'AskQuestion']);
  close();
});

test('Player takes the quiz of a lecture', async () => {
  const client = createClient(tokens.learner);
  const { data, close } = await show(client, documents.Player, { lectureId: quizLectureId });
  const { quiz } = data().node;
  const start = await client.mutate({ mutation: documents.StartAttempt, variables: { input: { quizId: quiz.id } } });
  const { attempt } = start.data.startQuizAttempt;
  const [choice] = attempt.questions;
  const answer = { optionIds: [choice.options[0].id] };
  await client.mutate({
    mutation: documents.SaveAnswer,
    variables: { input: { attemptId: attempt.id, questionId: choice.id, answer } },
  });
  await rendered();
  await client.mutate({ mutation: documents.SubmitAttempt, variables: { input: { attemptId: attempt.id } } });
  const shown = data().node.quiz.viewerAttempts.find(({ id }) => id === attempt.id);
  assert.notEqual(shown.status, 'IN_PROGRESS');
  assert.deepEqual(takeOperations(), ['Player', 'StartAttempt', 'SaveAnswer', 'SubmitAttempt']);
  close();
});

const VIDEO = gql`
  query Video($lectureId: ID!) {
    node(id: $lectureId) {
      id
      ... on Lecture {
        content {
          videoUrl
        }
      }
    }
  }
`;

test('Player keeps its content when another page asks for a part of it', async () => {
  const client = createClient(tokens.learner);
  const { data, close } = await show(client, documents.Player, pages.Player);
  const { content } = data().node;
  await client.query({ query: VIDEO, variables: pages.Player, fetchPolicy: 'network-only' });
  await rendered();
  assert.deepEqual(data().node.content, content);
  assert.deepEqual(takeOperations(), ['Player', 'Video'], 'the page is not loaded again');
  close();
});
