import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { makeSession } from '../src/session.js';

const ME = { query: '{ me { id } }' };
const MINUTE = 60_000;
let clock, storage, service, session;

beforeEach(() => {
  clock = Date.parse('2030-01-01T00:00:00Z');
  storage = aStorage();
  service = aService();
  session = makeSession(service.post, storage, () => clock);
});

test('requests have a token only when signed in', async () => {
  await session.send(ME);
  await session.signIn('learner@example.com', 'right');
  await session.send(ME, { 'x-more': 'yes' });
  assert.deepEqual(service.bearers(), [null, 'Bearer access-1']);
  assert.equal(service.asked.at(-1).headers['x-more'], 'yes');
  assert.deepEqual(session.seen().viewer, { fullName: 'Jane', role: 'LEARNER', email: 'learner@example.com' });
});

test('a wrong password changes nothing and shows the error of the service', async () => {
  await session.signIn('learner@example.com', 'right');
  await assert.rejects(session.signIn('admin@example.com', 'wrong'), {
    message: 'This e-mail or password is wrong.',
    codes: ['INVALID_CREDENTIALS'],
  });
  assert.equal(session.seen().viewer.email, 'learner@example.com');
});

test('a reload keeps the session and signing out deletes it', async () => {
  await session.signIn('learner@example.com', 'right');
  const reloaded = makeSession(service.post, storage, () => clock);
  assert.deepEqual(reloaded.seen().viewer, session.seen().viewer);
  await reloaded.signOut();
  assert.deepEqual(service.asked.at(-1).operation.variables, { input: { refreshToken: 'refresh-1' } });
  assert.equal(storage.items.size, 0);
  assert.deepEqual(reloaded.seen(), { viewer: null, ended: '' });
});

test('tokens are exchanged once, shortly before their end, without a bearer', async () => {
  await session.signIn('learner@example.com', 'right');
  clock += 14.6 * MINUTE;
  await Promise.all([session.send(ME), session.send(ME)]);
  assert.deepEqual(service.refreshes(), [undefined]);
  assert.deepEqual(service.bearers(), ['Bearer access-2', 'Bearer access-2']);
});

test('a wrong local clock does not matter', async () => {
  clock += 1000 * MINUTE;
  await session.signIn('learner@example.com', 'right');
  await session.send(ME);
  assert.deepEqual(service.refreshes(), []);
});

test('a rejected token is exchanged and the request repeated', async () => {
  await session.signIn('learner@example.com', 'right');
  service.forget('access-1');
  const answers = await Promise.all([session.send(ME), session.send(ME)]);
  assert.deepEqual(answers.map(({ status }) => status), [200, 200]);
  assert.equal(service.refreshes().length, 1);
});

test('a rejected refresh ends the session but not introspection', async () => {
  await session.signIn('learner@example.com', 'right');
  service.forget('access-1', 'refresh-1');
  const { body } = await session.send(ME);
  assert.match(body.errors[0].message, /session has ended/);
  assert.match(session.seen().ended, /session has ended/);
  assert.equal(storage.items.size, 0);
  assert.deepEqual(service.bearers(), ['Bearer access-1'], 'nothing is sent anonymously unnoticed');

  await session.signIn('learner@example.com', 'right');
  service.forget('access-2', 'refresh-2');
  const { status } = await session.send({ ...ME, operationName: 'IntrospectionQuery' });
  assert.equal(status, 200);
  assert.equal(service.bearers().at(-1), null);
});

test('a service that is down ends no session', async () => {
  await session.signIn('learner@example.com', 'right');
  clock += 20 * MINUTE;
  service.isDown = true;
  await assert.rejects(session.send(ME));
  service.isDown = false;
  await session.send(ME);
  assert.equal(service.bearers().at(-1), 'Bearer access-2');
});

test('a request is not sent as a user who signs in later', async () => {
  await session.signIn('learner@example.com', 'right');
  service.forget('access-1');
  const asked = session.send(ME);
  await session.signIn('admin@example.com', 'right');
  assert.match((await asked).body.errors[0].message, /Another user/);
  assert.equal(session.seen().viewer.email, 'admin@example.com');
});

function aStorage() {
  const items = new Map();
  return {
    items,
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => items.set(key, value),
    removeItem: (key) => items.delete(key),
  };
}

/** A fake service that issues access-1 and refresh-1, then access-2 and so on, and records the requests. */
function aService() {
  const begin = Date.parse('2030-01-01T00:00:00Z');
  const asked = [];
  const good = new Set();
  let given = 0;

  function tokens() {
    given += 1;
    const [accessToken, refreshToken] = [`access-${given}`, `refresh-${given}`];
    good.add(`Bearer ${accessToken}`).add(refreshToken);
    return { accessToken, refreshToken, accessTokenExpiresAt: new Date(begin + 15 * MINUTE).toISOString() };
  }

  const refused = (code, message) => ({ session: null, errors: [{ code, message }] });

  function dataFor({ query, variables: { input } = {} }) {
    if (query.includes('login(')) {
      if (input.password !== 'right') {
        return { login: refused('INVALID_CREDENTIALS', 'This e-mail or password is wrong.') };
      }
      return { login: { session: { ...tokens(), user: { fullName: 'Jane', role: 'LEARNER' } }, errors: [] } };
    }
    if (query.includes('refreshSession(')) {
      const isGood = good.delete(input.refreshToken);
      return { refreshSession: isGood ? { session: tokens(), errors: [] } : refused('INVALID_TOKEN', 'Sign in again.') };
    }
    return query.includes('logout(') ? { logout: { ok: true, errors: [] } } : { me: { id: '1' } };
  }

  const isSigning = ({ operation }) => operation.query.startsWith('mutation');
  return {
    asked,
    isDown: false,
    forget: (access, refresh) => [`Bearer ${access}`, refresh].forEach((token) => good.delete(token)),
    bearers: () => asked.filter((one) => !isSigning(one)).map(({ headers }) => headers?.authorization ?? null),
    refreshes() {
      const found = asked.filter(({ operation }) => operation.query.includes('refreshSession('));
      return found.map(({ headers }) => headers?.authorization);
    },
    async post(operation, headers) {
      if (service.isDown) throw new Error('down');
      asked.push({ operation, headers });
      const bearer = headers?.authorization;
      if (bearer && !good.has(bearer)) {
        const message = 'This token is not valid. Sign in again.';
        return { status: 401, body: { errors: [{ message, extensions: { code: 'UNAUTHENTICATED' } }] } };
      }
      return { status: 200, body: { data: dataFor(operation) }, answeredAt: begin };
    },
  };
}
