import assert from 'node:assert/strict';
import { test } from 'node:test';
import { documents } from '../documents.js';
import { lecturesOf, pages, quizLectureId, tokens } from '../pages.js';
import { takeOperations } from '../service.js';
import { createClient, mutate, rendered, show } from './client.js';

const { lectureId } = pages.Player;

test('Player moves on before the service has stored the heartbeat', async () => {
  const client = createClient(tokens.learner);
  const { data, close } = await show(client, documents.Player, pages.Player);
  const watched = [{ startSeconds: 0, endSeconds: 4.25 }];
  const answer = mutate(client, documents.Heartbeat, { lectureId, positionSeconds: 4.25, watched });
  await rendered();
  assert.equal(data().node.viewerProgress.positionSeconds, 4);
  await answer;
  const { positionSeconds, watchSeconds } = data().node.viewerProgress;
  assert.deepEqual([positionSeconds, watchSeconds], [4, 4]);
  assert.deepEqual(takeOperations(), ['Player', 'Heartbeat']);
  close();
});

test('Player marks a lecture as completed, in the outline too', async () => {
  const client = createClient(tokens.learner);
  const { data, close } = await show(client, documents.Player, pages.Player);
  const input = { lectureId, isCompleted: true };
  await mutate(client, documents.CompleteLecture, input);
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
  const input = { lectureId, content: 'With urql', positionSeconds: 3, idempotencyKey: crypto.randomUUID() };
  const { createNote } = await mutate(client, documents.CreateNote, input);
  assert.equal(data().node.viewerNotes.at(-1).content, 'With urql');
  await mutate(client, documents.DeleteNote, { noteId: createNote.note.id });
  assert.deepEqual(data().node.viewerNotes, before);
  assert.deepEqual(takeOperations(), ['Player', 'CreateNote', 'DeleteNote']);
  close();
});

test('Player shows what is wrong with a question, and adds a right one', async () => {
  const client = createClient(tokens.learner);
  const { data, close } = await show(client, documents.Player, pages.Player);
  const shown = () => data().node.qaQuestions.edges.map(({ node }) => node.title);
  const before = shown();
  const ask = (title) => mutate(client, documents.AskQuestion, { lectureId, title, content: 'I wonder.' });
  const { askQuestion: refused } = await ask(' ');
  assert.deepEqual(refused.errors.map(({ code, path }) => [code, path]), [['REQUIRED', ['input', 'title']]]);
  assert.deepEqual(shown(), before);
  await ask('Asked with urql');
  assert.deepEqual(shown(), ['Asked with urql', ...before]);
  assert.deepEqual(takeOperations(), ['Player', 'AskQuestion', 'AskQuestion']);
  close();
});

test('Player takes the quiz of a lecture', async () => {
  const client = createClient(tokens.learner);
  const { data, close } = await show(client, documents.Player, { lectureId: quizLectureId });
  const { startQuizAttempt } = await mutate(client, documents.StartAttempt, { quizId: data().node.quiz.id });
  const { attempt } = startQuizAttempt;
  const [choice] = attempt.questions;
  const answer = { optionIds: [choice.options[0].id] };
  await mutate(client, documents.SaveAnswer, { attemptId: attempt.id, questionId: choice.id, answer });
  await mutate(client, documents.SubmitAttempt, { attemptId: attempt.id });
  const shown = data().node.quiz.viewerAttempts.find(({ id }) => id === attempt.id);
  assert.notEqual(shown.status, 'IN_PROGRESS');
  assert.deepEqual(takeOperations(), ['Player', 'StartAttempt', 'SaveAnswer', 'SubmitAttempt']);
  close();
});
