import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PAGE_SIZE, assertLastAccessedFirst, pages, size, titles, tokenOf } from '../pages.js';
import { takeOperations } from '../service.js';
import * as catalog from './CatalogPage.js';
import * as course from './CoursePage.js';
import * as instructor from './InstructorPage.js';
import * as learner from './LearnerPage.js';
import * as player from './PlayerPage.js';
import { createEnvironment, loadNext, read, show } from './environment.js';

const QUERIES = {
  Catalog: catalog.query,
  CoursePage: course.query,
  Player: player.query,
  LearnerDashboard: learner.query,
  InstructorDashboard: instructor.query,
};

/** Variables of a page, with Relay's usual name for the number of items. */
const variablesOf = (page) => {
  const { first, ...variables } = pages[page];
  return first ? { ...variables, count: first } : variables;
};

for (const [page, query] of Object.entries(QUERIES)) {
  test(`${page} takes one request, and the store has all of its data`, async () => {
    const { isComplete } = await show(createEnvironment(tokenOf(page)), query, variablesOf(page));
    assert.deepEqual(takeOperations(), [query.params.name]);
    assert.ok(isComplete());
  });
}

test('Catalog shows the next page after the first', async () => {
  const environment = createEnvironment();
  const { data } = await show(environment, catalog.query, variablesOf('Catalog'));
  await loadNext(environment, catalog.courses, data(), PAGE_SIZE);
  assert.deepEqual(takeOperations(), ['CatalogPageQuery', 'CatalogPageMoreQuery']);
  const { courses } = read(environment, catalog.courses, data());
  const shown = courses.edges.map(({ node }) => read(environment, catalog.card, node).title);
  assert.equal(shown.length, 2 * PAGE_SIZE);
  assert.equal(new Set(shown).size, 2 * PAGE_SIZE);
  assert.equal(read(environment, catalog.filters, data().courseFacets).totalCount, size + 1);
});

test('Catalog stores a list for each filter', async () => {
  const environment = createEnvironment();
  const variables = variablesOf('Catalog');
  const all = await show(environment, catalog.query, variables);
  const free = await show(environment, catalog.query, { ...variables, filter: { ...variables.filter, isFree: true } });
  const shown = ({ data }) => read(environment, catalog.courses, data()).courses.edges.length;
  const paidCount = ({ data }) => read(environment, catalog.filters, data().courseFacets).paidCount;
  assert.deepEqual([shown(all), shown(free)], [PAGE_SIZE, 1]);
  assert.deepEqual([paidCount(all), paidCount(free)], [size, size], 'a facet ignores its own filter');
});

test('LearnerDashboard shows more courses, by the id of the user', async () => {
  const environment = createEnvironment(tokenOf('LearnerDashboard'));
  const { data } = await show(environment, learner.query, variablesOf('LearnerDashboard'));
  await loadNext(environment, learner.current, data().me, PAGE_SIZE);
  assert.deepEqual(takeOperations(), ['LearnerPageQuery', 'LearnerPageMoreQuery']);
  const { edges } = read(environment, learner.current, data().me).enrollments;
  const enrollments = edges.map(({ node }) => ({ node: read(environment, learner.enrollment, node) }));
  assert.equal(new Set(titles({ edges: enrollments })).size, 2 * PAGE_SIZE);
  assertLastAccessedFirst(enrollments);
});
