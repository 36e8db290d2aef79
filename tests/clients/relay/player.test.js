import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pages, tokens } from '../pages.js';
import { takeOperations } from '../service.js';
import * as mutations from './PlayerMutations.js';
import * as player from './PlayerPage.js';
import { createEnvironment, loadNext, mutate, read, show } from './environment.js';

const { lectureId } = pages.Player;

async function open() {
  const environment = createEnvironment(tokens.learner);
  const { data } = await show(environment, player.query, pages.Player);
  const shown = (fragment, ref = data().node.lecture) => read(environment, fragment, ref);
  return { environment, shown, ref: () => data().node.lecture };
}

test('Player moves on before the service has stored the heartbeat', async () => {
  const { environment, shown } = await open();
  const progress = () => shown(player.progress, shown(player.lecture).viewerProgress);
  const state = { id: 'LectureProgress:new', isCompleted: false, positionSeconds: 4, watchSeconds: 4 };
  const lecture = { id: lectureId, viewerProgress: { id: state.id } };
  const input = { lectureId, positionSeconds: 4.25, watched: [{ startSeconds: 0, endSeconds: 4.25 }] };
  const answer = mutate(environment, mutations.heartbeat, { input }, {
    optimisticResponse: { recordLectureProgress: { progress: { ...state, lecture }, enrollment: null, errors: [] } },
  });
  assert.equal(progress().positionSeconds, 4);
  await answer;
  assert.deepEqual(progress(), { isCompleted: false, positionSeconds: 4, watchSeconds: 4 });
  assert.deepEqual(takeOperations(), ['PlayerPageQuery', 'PlayerMutationsHeartbeatMutation']);
});

test('Player adds and removes notes', async () => {
  const { environment, shown } = await open();
  const ids = () => shown(player.notes).viewerNotes.filter(Boolean).map(({ id }) => id);
  const before = ids();
  const input = { lectureId, content: 'With Relay', positionSeconds: 3, idempotencyKey: crypto.randomUUID() };
  const { createNote } = await mutate(environment, mutations.createNote, { input }, {
    updater(store) {
      const note = store.getRootField('createNote').getLinkedRecord('note');
      const lecture = store.get(lectureId);
      if (note) lecture.setLinkedRecords([...lecture.getLinkedRecords('viewerNotes'), note], 'viewerNotes');
    },
  });
  assert.deepEqual(ids(), [...before, createNote.note.id]);
  await mutate(environment, mutations.deleteNote, { input: { noteId: createNote.note.id } });
  assert.deepEqual(ids(), before, '@deleteRecord leaves null in a list');
  const operations = ['PlayerPageQuery', 'PlayerMutationsCreateNoteMutation', 'PlayerMutationsDeleteNoteMutation'];
  assert.deepEqual(takeOperations(), operations);
});

test('Player adds and removes a question, and shows what is wrong with one', async () => {
  const { environment, shown, ref } = await open();
  const list = () => shown(player.discussion).qaQuestions;
  const titles = () => list().edges.map(({ node }) => shown(player.question, node).title);
  const before = titles();
  const connections = [list().__id];
  const ask = (title) =>
    mutate(environment, mutations.askQuestion, { connections, input: { lectureId, title, content: 'I wonder.' } });
  const { askQuestion: refused } = await ask(' ');
  assert.deepEqual(refused.errors, [{ ...refused.errors[0], code: 'REQUIRED', path: ['input', 'title'] }]);
  assert.deepEqual(titles(), before);
  const { askQuestion } = await ask('Asked with Relay');
  assert.deepEqual(titles(), ['Asked with Relay', ...before]);
  await mutate(environment, mutations.deleteQuestion, { connections, input: { questionId: askQuestion.question.id } });
  assert.deepEqual(titles(), before);
  assert.equal(takeOperations().length, 4);

  await loadNext(environment, player.discussion, ref(), 10);
  assert.equal(new Set(titles()).size, before.length + 10);
  assert.deepEqual(takeOperations(), ['PlayerPageMoreQuestionsQuery']);
});
