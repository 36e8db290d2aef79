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
  const client = createClient();
  const { data, close } = await show(client, documents.Catalog, pages.Catalog);
  const { totalCount, pageInfo } = data().courses;
  await client.query(documents.MoreCourses, { ...pages.Catalog, after: pageInfo.endCursor }).toPromise();
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
  const { data, close } = await show(client, documents.Catalog, pages.Catalog);
  const filter = { ...pages.Catalog.filter, isFree: true };
  const free = await show(client, documents.Catalog, { ...pages.Catalog, filter });
  assert.deepEqual(titles(free.data().courses), ['Free for all']);
  const { freeCount, paidCount } = free.data().courseFacets;
  assert.deepEqual([freeCount, paidCount], [1, size], 'a facet ignores its own filter');
  takeOperations();
  const again = await show(client, documents.Catalog, pages.Catalog);
  assert.deepEqual(titles(again.data().courses), titles(data().courses));
  assert.deepEqual(takeOperations(), [], 'a list that was shown before needs no request');
  assert.equal(data().courses.totalCount, size + 1);
  for (const page of [{ close }, free, again]) page.close();
});
