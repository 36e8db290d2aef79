import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PAGE_SIZE, tokens } from '../pages.js';
import { takeOperations } from '../service.js';
import * as instructor from './InstructorPage.js';
import { createEnvironment, loadNext, mutate, read, show } from './environment.js';

async function open() {
  const environment = createEnvironment(tokens.instructor);
  const { data } = await show(environment, instructor.query, { count: PAGE_SIZE });
  takeOperations();
  return { environment, me: () => data().me, shown: (fragment) => read(environment, fragment, data().me) };
}

for (const [list, fragment, read] of [
  ['courses', instructor.courses, ({ courses }) => courses],
  ['questions', instructor.questions, ({ teaching }) => teaching.openQuestions],
  ['attempts', instructor.attempts, ({ teaching }) => teaching.attemptsToGrade],
]) {
  test(`InstructorDashboard shows more ${list}, by the id of the user`, async () => {
    const { environment, me, shown } = await open();
    const before = read(shown(fragment)).edges.length;
    await loadNext(environment, fragment, me(), PAGE_SIZE);
    assert.equal(read(shown(fragment)).edges.length, before + PAGE_SIZE);
    assert.equal(takeOperations().length, 1);
  });
}

test('InstructorDashboard counts an answer', async () => {
  const { environment, shown } = await open();
  const question = () => shown(instructor.questions).teaching.openQuestions.edges[0].node;
  const { id, answerCount } = question();
  await mutate(environment, instructor.answer, { input: { questionId: id, content: 'Because.' } });
  assert.equal(question().answerCount, answerCount + 1);
  assert.deepEqual(takeOperations(), ['InstructorPageAnswerMutation']);
});

test('InstructorDashboard renames a course everywhere, and detects a change by others', async () => {
  const { environment, shown } = await open();
  const course = () => shown(instructor.courses).courses.edges[0].node;
  const { id, version } = course();
  const rename = (title) =>
    mutate(environment, instructor.rename, { input: { courseId: id, title, expectedVersion: version } });
  await rename('Renamed with Relay');
  assert.deepEqual([course().title, course().version], ['Renamed with Relay', version + 1]);
  const { updateCourse } = await rename('Too late');
  assert.deepEqual(updateCourse.errors.map(({ code }) => code), ['STALE_VERSION']);
  assert.equal(course().title, 'Renamed with Relay');
  assert.equal(takeOperations().length, 2);
});
