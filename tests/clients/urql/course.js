import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gql } from '@urql/core';
import { documents } from '../documents.js';
import { freeCourse, lecturesOf, pages, tokens } from '../pages.js';
import { takeOperations } from '../service.js';
import { createClient, mutate, rendered, show } from './client.js';

test('CoursePage opens the lectures after enrolling', async () => {
  const client = createClient(tokens.newcomer);
  const { data, close } = await show(client, documents.CoursePage, { slug: freeCourse.slug });
  const locks = () => lecturesOf(data().course).map(({ lock }) => lock?.reason ?? null);
  assert.ok(locks().includes('ENROLLMENT_REQUIRED'));
  await mutate(client, documents.Enroll, { courseId: freeCourse.id });
  assert.deepEqual(takeOperations(), ['CoursePage', 'Enroll']);
  assert.equal(data().course.viewerEnrollment.status, 'ACTIVE');
  assert.ok(locks().every((reason) => reason === null));
  close();
});

test('CoursePage counts a vote before the service answers', async () => {
  const client = createClient(tokens.learner);
  const { data, close } = await show(client, documents.CoursePage, pages.CoursePage);
  const question = () => data().course.qaQuestions.edges[0].node;
  const { id, voteCount } = question();
  const answer = mutate(client, documents.VoteQuestion, { questionId: id, vote: true });
  await rendered();
  assert.deepEqual([question().voteCount, question().viewerHasVoted], [voteCount + 1, true]);
  const { voteQaQuestion } = await answer;
  assert.equal(question().voteCount, voteQaQuestion.question.voteCount);
  assert.deepEqual(takeOperations(), ['CoursePage', 'VoteQuestion']);
  close();
});

test('CoursePage shows more questions', async () => {
  const client = createClient(tokens.learner);
  const { data, close } = await show(client, documents.CoursePage, pages.CoursePage);
  const { id, qaQuestions } = data().course;
  const variables = { courseId: id, after: qaQuestions.pageInfo.endCursor };
  await client.query(documents.MoreQuestions, variables).toPromise();
  await rendered();
  const ids = data().course.qaQuestions.edges.map(({ node }) => node.id);
  assert.equal(new Set(ids).size, 20, 'the cache has added them to the course');
  assert.deepEqual(takeOperations(), ['CoursePage', 'MoreQuestions']);
  close();
});

const ANALYTICS = gql`
  query Analytics($slug: String!) {
    course(slug: $slug) {
      id
      title
      analytics {
        id
        asOf
      }
    }
  }
`;

test('a field for others is an error, and the rest is shown', async () => {
  const client = createClient(tokens.learner);
  const { data, error } = await client.query(ANALYTICS, pages.CoursePage).toPromise();
  assert.equal(data.course.analytics, null);
  assert.equal(data.course.title, 'Course 00');
  assert.deepEqual(error.graphQLErrors.map(({ extensions, path }) => [extensions.code, path]), [
    ['FORBIDDEN', ['course', 'analytics']],
  ]);
});
