import { failure } from './service.js';
import { isUnauthenticated, login, logout, payloadOf, refreshSession, Refusal } from './signing.js';

const KEY = 'lms:session';
const EARLY = 30_000; // milliseconds before its end at which an access token is exchanged
const ENDED = 'Your session has ended. Sign in again.';

/**
 * The session of this tab. The tokens stay in `storage`, the tab's sessionStorage: they survive a reload but not the
 * tab, and reach neither GraphiQL nor its editors. A copy of the tab has the same tokens. The service then ends the
 * session, because a refresh token works only once, and both tabs show that.
 *
 * `post` sends an operation with headers and returns `{body, status, answeredAt}`.
 */
export function makeSession(post, storage, now = Date.now) {
  let current = restored(storage); // {viewer: {email, fullName, role}, accessToken, refreshToken, renewAt}, or null
  let seen = { viewer: current?.viewer ?? null, ended: '' };
  let renewing = null;
  const listeners = new Set();

  function become(next, ended = '') {
    current = next;
    if (next) storage.setItem(KEY, JSON.stringify(next));
    else storage.removeItem(KEY);
    seen = { viewer: next?.viewer ?? null, ended };
    listeners.forEach((listener) => listener());
  }

  /** Signs in. Throws an error to be shown; the previous user then stays signed in. */
  async function signIn(email, password) {
    const answer = await post(login({ email, password }));
    const { user, ...tokens } = payloadOf(answer, 'login').session;
    become({ viewer: { ...user, email }, ...withTime(tokens, answer.answeredAt, now()) });
  }

  /** Signs out in this tab in any case. Throws if the request to the service failed. */
  async function signOut() {
    await renewing; // its result is the token that logout must end
    if (!current) return;
    const { refreshToken } = current;
    become(null);
    const answer = await post(logout({ refreshToken }));
    try {
      payloadOf(answer, 'logout');
    } catch (error) {
      if (!(error instanceof Refusal)) throw error; // a Refusal means that the session had ended before
    }
  }

  /** Refreshes the tokens. One exchange at a time, because a refresh token works only once. */
  function renew() {
    renewing ??= exchange(current)
      .catch(() => {}) // without a response the session stays, and the waiting request shows the error
      .finally(() => (renewing = null));
    return renewing;
  }

  async function exchange(used) {
    const answer = await post(refreshSession({ refreshToken: used.refreshToken }));
    if (current !== used) return; // another user has signed in
    try {
      const tokens = payloadOf(answer, 'refreshSession').session;
      become({ viewer: used.viewer, ...withTime(tokens, answer.answeredAt, now()) });
    } catch (error) {
      if (error instanceof Refusal) become(null, ENDED);
    }
  }

  /** Sends an operation as the signed-in user, with a valid token. */
  async function send(operation, headers) {
    if (!current) return post(operation, headers);
    const { viewer } = current;
    const isStillThere = () => current?.viewer === viewer;
    const postSigned = () => post(operation, { ...headers, authorization: `Bearer ${current.accessToken}` });

    if (now() >= current.renewAt) await renew();
    if (!isStillThere()) return sendForNobody(operation, headers);
    const tried = current;
    const answer = await postSigned();
    if (!isUnauthenticated(answer)) return answer;
    if (current === tried) await renew();
    if (!isStillThere()) return sendForNobody(operation, headers);
    return current === tried ? answer : postSigned();
  }

  /** Sends only introspection, which is equal for all users. Others must not run as another user unnoticed. */
  async function sendForNobody(operation, headers) {
    if (operation.operationName === 'IntrospectionQuery') return post(operation, headers);
    return { body: failure(current ? 'Another user has signed in. Run this again.' : ENDED) };
  }

  function subscribe(listener) {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  // `seen` returns {viewer, ended}: the signed-in user or null, and why the session ended without a sign-out.
  return { signIn, signOut, send, seen: () => seen, subscribe };
}

/** Adds the time of renewal, from the token's lifetime by the service's clock: the clocks may differ. */
function withTime({ accessToken, refreshToken, accessTokenExpiresAt }, answeredAt, receivedAt) {
  const lifetime = Date.parse(accessTokenExpiresAt) - (answeredAt || receivedAt);
  return { accessToken, refreshToken, renewAt: receivedAt + lifetime - EARLY };
}

function restored(storage) {
  try {
    return JSON.parse(storage.getItem(KEY));
  } catch {
    return null;
  }
}
