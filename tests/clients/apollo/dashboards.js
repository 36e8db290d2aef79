import assert from 'node:assert/strict';
import { test } from 'node:test';
import { documents } from '../documents.js';
import { PAGE_SIZE, assertLastAccessedFirst, pages, titles, tokens } from '../pages.js';
import { takeOperations } from '../service.js';
import { createClient, rendered, show } from './client.js';

test('LearnerDashboard shows more courses', async () => {
  const client = createClient(tokens.learner);
  const { page, data, close } = await show(client, documents.LearnerDashboard, pages.LearnerDashboard);
  const { current } = data().me;
  const variables = { ...pages.LearnerDashboard, after: current.pageInfo.endCursor };
  await page.fetchMore({ query: documents.MoreEnrollments, variables });
  await rendered();
  assert.deepEqual(takeOperations(), ['LearnerDashboard', 'MoreEnrollments']);
  const shown = titles(data().me.current);
  assert.equal(shown.length, Math.min(current.totalCount, 2 * PAGE_SIZE));
  assert.equal(new Set(shown).size, shown.length);
  assertLastAccessedFirst(data().me.current.edges);
  close();
});

test('LearnerDashboard shows an open attempt and the next lecture', async () => {
  const { data, close } = await show(createClient(tokens.learner), documents.LearnerDashboard, pages.LearnerDashboard);
  const [{ node: enrollment }] = data().me.current.edges;
  const attempts = enrollment.course.quizzes.flatMap(({ viewerAttempts }) => viewerAttempts);
  const open = attempts.find(({ status }) => status === 'IN_PROGRESS');
  assert.ok(open.remainingSeconds > 0);
  assert.ok(new Date(open.deadlineAt) > new Date());
  assert.equal(typeof enrollment.progress.currentLecture.title, 'string');
  close();
});

test('InstructorDashboard counts an answer', async () => {
  const client = createClient(tokens.instructor);
  const { data, close } = await show(client, documents.InstructorDashboard, pages.InstructorDashboard);
  const question = () => data().me.teaching.openQuestions.edges[0].node;
  const { id, answerCount } = question();
  await client.mutate({ mutation: documents.Answer, variables: { input: { questionId: id, content: 'Because.' } } });
  await rendered();
  assert.equal(question().answerCount, answerCount + 1);
  assert.deepEqual(takeOperations(), ['InstructorDashboard', 'Answer']);
  close();
});

test('InstructorDashboard renames a course everywhere, and detects a change by others', async () => {
  const client = createClient(tokens.instructor);
  const { data, close } = await show(client, documents.InstructorDashboard, pages.InstructorDashboard);
  const course = () => data().me.courses.edges[0].node;
  const { id, version } = course();
  const rename = (title) =>
    client.mutate({
      mutation: documents.Rename,
      variables: { input: { courseId: id, title, expectedVersion: version } },
    });
  await rename('Renamed with Apollo');
  await rendered();
  assert.deepEqual([course().title, course().version], ['Renamed with Apollo', version + 1]);
  const { data: stale } = await rename('Too late');
  await rendered();
  assert.deepEqual(stale.updateCourse.errors.map(({ code }) => code), ['STALE_VERSION']);
  assert.equal(course().title, 'Renamed with Apollo');
  assert.deepEqual(takeOperations(), ['InstructorDashboard', 'Rename', 'Rename']);
  close();
});

test('LearnerDashboard leaves a course', async () => {
  const client = createClient(tokens.learner);
  const { data, close } = await show(client, documents.LearnerDashboard, pages.LearnerDashboard);
  const enrollment = () => data().me.current.edges[0].node;
  const input = { enrollmentId: enrollment().id };
  await client.mutate({ mutation: documents.LeaveCourse, variables: { input } });
  await rendered();
  assert.equal(enrollment().status, 'CANCELLED');
  assert.deepEqual(takeOperations(), ['LearnerDashboard', 'LeaveCourse']);
  close();
});

test('InstructorDashboard shows more courses', async () => {
  const client = createClient(tokens.instructor);
  const { page, data, close } = await show(client, documents.InstructorDashboard, pages.InstructorDashboard);
  const variables = { ...pages.InstructorDashboard, after: data().me.courses.pageInfo.endCursor };
  await page.fetchMore({ query: documents.MoreTaughtCourses, variables });
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
  await client.mutate({ mutation: documents.Grade, variables: { input } });
  await rendered();
  assert.equal(attempt().status, 'GRADED');
  assert.deepEqual(takeOperations(), ['InstructorDashboard', 'Grade']);
  close();
});
