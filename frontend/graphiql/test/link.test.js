import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linkedDocument, linkTo } from '../src/link.js';

const PAGE = 'http://127.0.0.1:8000/graphql';

test('a link contains the document as it was written', () => {
  const written = { query: 'query A { a(b: "ü&#+%") }\n', variables: '{"b": 1} // why', operationName: 'A' };
  assert.deepEqual(linkedDocument(linkTo(written, PAGE)), written);
});

test('texts that are empty stay out of the link', () => {
  const link = linkTo({ query: '{ a }', variables: '', operationName: undefined }, PAGE);
  assert.equal(link, `${PAGE}?query=%7B+a+%7D`);
  assert.deepEqual(linkedDocument(link), { query: '{ a }', variables: '', operationName: '' });
});

test('headers in a link are ignored', () => {
  const linked = linkedDocument(`${PAGE}?query={a}&headers={"authorization":"Bearer x"}`);
  assert.deepEqual(Object.keys(linked), ['query', 'variables', 'operationName']);
});

test('a page without a document opens nothing', () => {
  for (const address of [PAGE, `${PAGE}?query=`, `${PAGE}?variables={}`]) assert.equal(linkedDocument(address), null);
});

test('a document that is too long for proxies gets no link', () => {
  assert.throws(() => linkTo({ query: '#'.repeat(4_000) }, PAGE), /too long/);
});
