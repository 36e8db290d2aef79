import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freeCourse, lecturesOf, pages, tokens } from '../pages.js';
import { readDirectly, takeOperations } from '../service.js';
import * as course from './CoursePage.js';
import { createEnvironment, loadNext, mutate, read, refetch, show } from './environment.js';

const CANCEL = /* GraphQL */ `
  mutation Cancel($input: EnrollmentIdInput!) {
    cancelEnrollment(input: $input) {
      errors {
        code
      }
    }
  }
`;

test('CoursePage opens the lectures after enrolling, and loads a part again by its id', async () => {
  const environment = createEnvironment(tokens.newcomer);
  const { data } = await show(environment, course.query, { slug: freeCourse.slug });
  const shown = (fragment) => read(environment, fragment, data().course);
  const locks = () => lecturesOf(shown(course.curriculum)).map(({ lock }) => lock?.reason ?? null);
  assert.ok(locks().includes('ENROLLMENT_REQUIRED'));
  await mutate(environment, course.enroll, { input: { courseId: freeCourse.id } });
  assert.deepEqual(takeOperations(), ['CoursePageQuery', 'CoursePageEnrollMutation']);
  assert.equal(shown(course.offer).viewerEnrollment.status, 'ACTIVE');
  assert.ok(locks().every((reason) => reason === null));

  const enrollmentId = shown(course.offer).viewerEnrollment.id;
  await readDirectly(CANCEL, { input: { enrollmentId } }, tokens.newcomer);
  await refetch(environment, course.offer, data().course);
  assert.equal(shown(course.offer).viewerEnrollment.status, 'CANCELLED');
  assert.deepEqual(takeOperations(), ['CoursePageOfferQuery']);
});

test('CoursePage shows more questions, by the id of the course', async () => {
  const environment = createEnvironment(tokens.learner);
  const { data } = await show(environment, course.query, pages.CoursePage);
  await loadNext(environment, course.discussion, data().course, 10);
  const { qaQuestions } = read(environment, course.discussion, data().course);
  assert.equal(new Set(qaQuestions.edges.map(({ node }) => node.title)).size, 20);
  assert.deepEqual(takeOperations(), ['CoursePageQuery', 'CoursePageMoreQuestionsQuery']);
});
