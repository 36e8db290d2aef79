import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { buildSchema, getOperationAST, getVariableValues, parse, validate } from 'graphql';
import { EXAMPLES } from '../src/examples.js';
import { SEED_USERS } from '../src/seedUsers.js';

const SCHEMA_FILE = new URL('../../../schema.graphql', import.meta.url);
const schema = existsSync(SCHEMA_FILE) && buildSchema(readFileSync(SCHEMA_FILE, 'utf8'));

test('no two examples share a title or an operation name', () => {
  const titles = new Set(EXAMPLES.map(({ title }) => title));
  const names = new Set(EXAMPLES.map(({ query }) => operationOf(query).name?.value));
  assert.equal(titles.size, EXAMPLES.length);
  assert.equal(names.size, EXAMPLES.length);
});

test('viewers of examples are seed users', () => {
  const names = SEED_USERS.map(({ email }) => email.split('@')[0]);
  for (const { title, viewer } of EXAMPLES) assert.ok(viewer === undefined || names.includes(viewer), title);
});

for (const { email } of SEED_USERS) {
  test(`${email} has queries and mutations`, () => {
    const own = EXAMPLES.filter(({ viewer }) => viewer === email.split('@')[0]);
    const operations = new Set(own.map(({ query }) => operationOf(query).operation));
    assert.deepEqual(operations, new Set(['query', 'mutation']));
  });
}

for (const { title, about, query, variables = {} } of EXAMPLES) {
  test(`“${title}” is one named operation with a one-line description`, () => {
    assert.ok(operationOf(query)?.name, 'exactly one operation, with a name');
    assert.match(about, /^.{10,80}$/);
  });

  test(`“${title}” fits the schema`, { skip: !schema && 'there is no schema.graphql yet' }, () => {
    assert.deepEqual(validate(schema, parse(query)), []);
    const { errors = [] } = getVariableValues(schema, operationOf(query).variableDefinitions ?? [], variables);
    assert.deepEqual(errors, []);
  });
}

/** Returns the document's operation, or null if it has none or several. */
function operationOf(query) {
  return getOperationAST(parse(query));
}
