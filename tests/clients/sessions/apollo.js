// Apollo Client 4, set up as its documentation says. See ../service.js for how to run it.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { SetContextLink } from '@apollo/client/link/context';
import { ErrorLink } from '@apollo/client/link/error';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { from, switchMap } from 'rxjs';
import { takeRequests, url } from '../service.js';
import { CATEGORIES, LOGIN, ME, REFRESH, Storage, email, expiredToken, password } from './operations.js';

const isUnauthenticated = (error) =>
  CombinedGraphQLErrors.is(error) && error.errors.some(({ extensions }) => extensions?.code === 'UNAUTHENTICATED');

// https://www.apollographql.com/docs/react/networking/authentication: an empty header for anonymous visitors.
function authLink(storage) {
  return new SetContextLink(({ headers }) => {
    const token = storage.getItem('token');
    return { headers: { ...headers, authorization: token ? `Bearer ${token}` : '' } };
  });
}

function createClient(storage, ...links) {
  // https://www.apollographql.com/docs/react/data/error-handling: retry with a new token after UNAUTHENTICATED.
  const errorLink = new ErrorLink(({ error, operation, forward }) => {
    if (isUnauthenticated(error) && operation.operationName !== 'Refresh') {
      return from(refresh(client, storage)).pipe(switchMap(() => forward(operation)));
    }
  });
  const link = ApolloLink.from([errorLink, authLink(storage), ...links, new HttpLink({ uri: url })]);
  const client = new ApolloClient({ cache: new InMemoryCache(), link });
  return client;
}

async function login(client, storage) {
  const { data } = await client.mutate({ mutation: gql(LOGIN), variables: { input: { email, password } } });
  assert.deepEqual(data.login.errors, []);
  storage.saveSession(data.login.session);
}

// The documented auth link adds the expired token to this mutation, too.
async function refresh(client, storage) {
  const input = { refreshToken: storage.getItem('refreshToken') };
  const { data } = await client.mutate({ mutation: gql(REFRESH), variables: { input } });
  storage.saveSession(data.refreshSession.session);
}

test('anonymous visitors read', async () => {
  const { data } = await createClient(new Storage()).query({ query: gql(CATEGORIES) });
  assert.equal(data.categories.length, 1);
  const [request, ...others] = takeRequests();
  assert.deepEqual(others, []);
  assert.deepEqual([request.authorization, request.status], ['', 200]);
});

test('users log in and read', async () => {
  const storage = new Storage();
  const client = createClient(storage);
  await login(client, storage);
  const { data } = await client.query({ query: gql(ME) });
  assert.equal(data.me.email, email);
  assert.deepEqual(takeRequests().map(({ status }) => status), [200, 200]);
});

test('an expired session is refreshed', async () => {
  const storage = new Storage();
  const client = createClient(storage);
  await login(client, storage);
  storage.setItem('token', expiredToken);
  takeRequests();
  const { data } = await client.query({ query: gql(ME) });
  assert.equal(data.me.email, email);
  assert.notEqual(storage.getItem('token'), expiredToken);
  const requests = takeRequests();
  assert.deepEqual(requests.map(({ operation, status }) => [operation, status]), [['Me', 401], ['Refresh', 200], ['Me', 200]]);
  assert.equal(requests[1].authorization, `Bearer ${expiredToken}`);
});

test('users log in although an expired token is stored', async () => {
  const storage = new Storage();
  storage.setItem('token', expiredToken);
  await login(createClient(storage), storage);
  const [request] = takeRequests();
  assert.deepEqual([request.authorization, request.status], [`Bearer ${expiredToken}`, 200]);
});

// https://www.apollographql.com/docs/react/api/link/apollo-link-persisted-queries
for (const useGETForHashedQueries of [false, true]) {
  test(`persisted queries fall back to the document (hash by ${useGETForHashedQueries ? 'GET' : 'POST'})`, async () => {
    const sha256 = (text) => createHash('sha256').update(text).digest('hex');
    const storage = new Storage();
    const client = createClient(storage, new PersistedQueryLink({ sha256, useGETForHashedQueries }));
    const { data } = await client.query({ query: gql(CATEGORIES) });
    assert.equal(data.categories.length, 1);
    const [hashed, full, ...others] = takeRequests();
    assert.deepEqual(others, []);
    assert.deepEqual([hashed.hasQuery, hashed.isPersisted], [false, true]);
    assert.equal(hashed.method, useGETForHashedQueries ? 'GET' : 'POST');
    assert.deepEqual([full.hasQuery, full.isPersisted, full.status], [true, false, 200]);

    await login(client, storage); // the link has learned to send documents from now on
    assert.deepEqual(takeRequests().map(({ hasQuery, status }) => [hasQuery, status]), [[true, 200]]);
  });
}
