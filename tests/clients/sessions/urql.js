// urql with its auth exchange, set up as its documentation says. See ../service.js for how to run it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, cacheExchange, fetchExchange } from '@urql/core';
import { authExchange } from '@urql/exchange-auth';
import { takeRequests, url } from '../service.js';
import { CATEGORIES, LOGIN, ME, REFRESH, Storage, email, expiredToken, password } from './operations.js';

// https://nearform.com/open-source/urql/docs/advanced/authentication
function createClient(storage) {
  const auth = authExchange(async (utilities) => {
    let token = storage.getItem('token');
    let refreshToken = storage.getItem('refreshToken');
    return {
      addAuthToOperation(operation) {
        return token ? utilities.appendHeaders(operation, { Authorization: `Bearer ${token}` }) : operation;
      },
      didAuthError(error) {
        return error.graphQLErrors.some(({ extensions }) => extensions?.code === 'UNAUTHENTICATED');
      },
      async refreshAuth() {
        const { data } = await utilities.mutate(REFRESH, { input: { refreshToken } });
        if (data?.refreshSession.session) {
          storage.saveSession(data.refreshSession.session);
          token = storage.getItem('token');
          refreshToken = storage.getItem('refreshToken');
        } else {
          storage.removeItem('token');
          storage.removeItem('refreshToken');
        }
      },
    };
  });
  return new Client({ url, exchanges: [cacheExchange, auth, fetchExchange], preferGetMethod: false });
}

async function login(storage) {
  const { data, error } = await createClient(storage).mutation(LOGIN, { input: { email, password } });
  assert.equal(error, undefined);
  storage.saveSession(data.login.session);
}

async function read(storage, query) {
  const { data, error } = await createClient(storage).query(query, {});
  assert.equal(error, undefined);
  return data;
}

test('anonymous visitors read', async () => {
  const { categories } = await read(new Storage(), CATEGORIES);
  assert.equal(categories.length, 1);
  assert.deepEqual(takeRequests().map(({ authorization, status }) => [authorization, status]), [[null, 200]]);
});

test('queries by GET run', async () => {
  const client = new Client({ url, exchanges: [fetchExchange], preferGetMethod: true });
  const { data } = await client.query(CATEGORIES, {});
  assert.equal(data.categories.length, 1);
  assert.deepEqual(takeRequests().map(({ method, status }) => [method, status]), [['GET', 200]]);
});

test('users log in and read', async () => {
  const storage = new Storage();
  await login(storage);
  const { me } = await read(storage, ME);
  assert.equal(me.email, email);
  assert.deepEqual(takeRequests().map(({ status }) => status), [200, 200]);
});

test('an expired session is refreshed', async () => {
  const storage = new Storage();
  await login(storage);
  storage.setItem('token', expiredToken);
  takeRequests();
  const { me } = await read(storage, ME);
  assert.equal(me.email, email);
  assert.notEqual(storage.getItem('token'), expiredToken);
  const requests = takeRequests();
  assert.deepEqual(requests.map(({ operation, status }) => [operation, status]), [['Me', 401], ['Refresh', 200], ['Me', 200]]);
  assert.equal(requests[1].authorization, `Bearer ${expiredToken}`);
});

test('users log in although an expired token is stored', async () => {
  const storage = new Storage();
  storage.setItem('token', expiredToken);
  await login(storage);
  const [request] = takeRequests();
  assert.deepEqual([request.authorization, request.status], [`Bearer ${expiredToken}`, 200]);
});
