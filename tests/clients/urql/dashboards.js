import assert from 'node:assert/strict';
import { test } from 'node:test';
import { documents } from '../documents.js';
import { PAGE_SIZE, assertLastAccessedFirst, pages, titles, tokens } from '../pages.js';
import { takeOperations } from '../service.js';
import { createClient, mutate, rendered, show } from './client.js';

test('LearnerDashboard shows more courses', async () => {
  const client = createClient(tokens.learner);
  const { data, close } = await show(client, documents.LearnerDashboard, pages.LearnerDashboard);
  const { totalCount, pageInfo } = data().me.current;
  await client.query(documents.MoreEnrollments, { ...pages.LearnerDashboard, after: pageInfo.endCursor }).toPromise();
  await rendered();
  assert.deepEqual(takeOperations(), ['LearnerDashboard', 'MoreEnrollments']);
  const shown = titles(data().me.current);
  assert.equal(shown.length, Math.min(totalCount, 2 * PAGE_SIZE));
  assert.equal(new Set(shown).size, shown.length);
  assertLastAccessedFirst(data().me.current.edges);
  close();
});

test('InstructorDashboard counts an answer', async () => {
  const client = createClient(tokens.instructor);
  const { data, close } = await show(client, documents.InstructorDashboard, pages.InstructorDashboard);
  const question = () => data().me.teaching.openQuestions.edges[0].node;
  const { id, answerCount } = question();
  await mutate(client, documents.Answer, { questionId: id, content: 'Because.' });
  assert.equal(question().answerCount, answerCount + 1);
  assert.deepEqual(takeOperations(), ['InstructorDashboard', 'Answer']);
  close();
});

test('InstructorDashboard renames a course everywhere, and detects a change by others', async () => {
  const client = createClient(tokens.instructor);
  const { data, close } = await show(client, documents.InstructorDashboard, pages.InstructorDashboard);
  const course = () => data().me.courses.edges[0].node;
  const { id, version } = course();
  const rename = (title) => mutate(client, documents.Rename, { courseId: id, title, expectedVersion: version });
  await rename('Renamed with urql');
  assert.deepEqual([course().title, course().version], ['Renamed with urql', version + 1]);
  const { updateCourse } = await rename('Too late');
  assert.deepEqual(updateCourse.errors.map(({ code }) => code), ['STALE_VERSION']);
  assert.equal(course().title, 'Renamed with urql');
  assert.deepEqual(takeOperations(), ['InstructorDashboard', 'Rename', 'Rename']);
  close();
});

test('LearnerDashboard leaves a course', async () => {
  const client = createClient(tokens.learner);
  const { data, close } = await show(client, documents.LearnerDashboard, pages.LearnerDashboard);
  const enrollment = () => data().me.current.edges[0].node;
  await mutate(client, documents.LeaveCourse, { enrollmentId: enrollment().id });
  assert.equal(enrollment().status, 'CANCELLED');
  assert.deepEqual(takeOperations(), ['LearnerDashboard', 'LeaveCourse']);
  close();
});

test('InstructorDashboard shows more courses', async () => {
  const client = createClient(tokens.instructor);
  const { data, close } = await show(client, documents.InstructorDashboard, pages.InstructorDashboard);
  const variables = { ...pages.InstructorDashboard, after: data().me.courses.pageInfo.endCursor };
  await client.query(documents.MoreTaughtCourses, variables).toPromise();
  await rendered();
  assert.equal(new Set(titles(data().me.courses)).size, 2 * PAGE_SIZE);
  assert.deepEqual(takeOperations(), ['InstructorDashboard', 'MoreTaughtCourses']);
  close();
});

test('InstructorDashboard grades an essay', async () => {
  const client = createClient(tokens.instructor);
  const { data, close } = await show(client, documents.InstructorDashboard, pages.InstructorDashboard);
  const attempt = () => data().me.teaching.attemptsToGrade.edges[0].node;
  const { id, questions } = attempt();
  const essay = questions.find(({ type }) => type === 'ESSAY');
  const input = { attemptId: id, questionId: essay.id, points: '1.5', feedback: 'Almost.' };
  await mutate(client, documents.Grade, input);
  assert.equal(attempt().status, 'GRADED');
  assert.deepEqual(takeOperations(), ['InstructorDashboard', 'Grade']);
  close();
});
