import assert from 'node:assert/strict';
import { test } from 'node:test';
import { documents } from '../documents.js';
import { PAGE_SIZE, comparable, expectedData, pages, size, titles, tokenOf } from '../pages.js';
import { takeOperations } from '../service.js';
import { createClient, rendered, show } from './client.js';

for (const name of Object.keys(pages)) {
  test(`${name} takes one request, and the cache returns all of its data`, async () => {
    const { data, close } = await show(createClient(tokenOf(name)), documents[name], pages[name]);
    assert.deepEqual(takeOperations(), [name]);
    assert.deepEqual(comparable(data()), comparable(await expectedData(name)));
    close();
  });
}

test('Catalog shows the next page after the first', async () => {
  const { page, data, close } = await show(createClient(), documents.Catalog, pages.Catalog);
  const { endCursor } = data().courses.pageInfo;
  const { totalCount } = data().courses;
  await page.fetchMore({ query: documents.MoreCourses, variables: { ...pages.Catalog, after: endCursor } });
  await rendered();
  assert.deepEqual(takeOperations(), ['Catalog', 'MoreCourses']);
  const shown = titles(data().courses);
  assert.equal(shown.length, 2 * PAGE_SIZE);
  assert.equal(new Set(shown).size, 2 * PAGE_SIZE);
  assert.equal(data().courses.totalCount, totalCount, 'the next page leaves it as it was');
  close();
});

test('Catalog stores a list for each filter', async () => {
  const client = createClient();
  const { page, data, close } = await show(client, documents.Catalog, pages.Catalog);
  const all = titles(data().courses);
  const free = { ...pages.Catalog, filter: { ...pages.Catalog.filter, isFree: true } };
  await page.refetch(free);
  await rendered();
  assert.deepEqual(titles(data().courses), ['Free for all']);
  const { freeCount, paidCount } = data().courseFacets;
  assert.deepEqual([freeCount, paidCount], [1, size], 'a facet ignores its own filter');
  takeOperations();
  const { data: again } = await client.query({ query: documents.Catalog, variables: pages.Catalog });
  assert.deepEqual(titles(again.courses), all);
  assert.deepEqual(takeOperations(), [], 'a list that was shown before needs no request');
  assert.equal(again.courses.totalCount, size + 1);
  close();
});
