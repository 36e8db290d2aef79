import { failure } from './service.js';
import { isUnauthenticated, login, logout, payloadOf, refreshSession, Refusal } from './signing.js';

const KEY = 'lms:session';
const EARLY = 30_000; // milliseconds before its end at which an access token is exchanged
const ENDED = 'Your session has ended. Sign in again.';

/**
 * Who is signed in, in this tab alone. The tokens stay in `storage`, the tab's sessionStorage: they outlive a reload but
 * not the tab, and reach neither GraphiQL nor its editors. Who copies a tab copies them, too: the service then ends the
 * session, since a refresh token is used once, and both tabs say so.
 *
 * `post` sends an operation with headers and gives `{body, status, answeredAt}`.
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

  /** Throws what is in the way, to be shown; whoever was signed in before then still is. */
  async function signIn(email, password) {
    const answer = await post(login({ email, password }));
    const { user, ...tokens } = payloadOf(answer, 'login').session;
    become({ viewer: { ...user, email }, ...withTime(tokens, answer.answeredAt, now()) });
  }

  /** Signed out here whatever the service says; throws where the service could not be told. */
  async function signOut() {
    await renewing; // the token that it brings is the one to give back
    if (!current) return;
    const { refreshToken } = current;
    become(null);
    const answer = await post(logout({ refreshToken }));
    try {
      payloadOf(answer, 'logout');
    } catch (error) {
      if (!(error instanceof Refusal)) throw error; // a refusal says that the session was over before
    }
  }

  /** One exchange at a time, as a refresh token is used once. */
  function renew() {
    renewing ??= exchange(current)
      .catch(() => {}) // no answer ends no session: the request that waits for this one will tell what is wrong
      .finally(() => (renewing = null));
    return renewing;
  }

  async function exchange(used) {
    const answer = await post(refreshSession({ refreshToken: used.refreshToken }));
    if (current !== used) return; // someone else has signed in meanwhile
    try {
      const tokens = payloadOf(answer, 'refreshSession').session;
      become({ viewer: used.viewer, ...withTime(tokens, answer.answeredAt, now()) });
    } catch (error) {
      if (error instanceof Refusal) become(null, ENDED);
    }
  }

  /** Sends an operation as whoever is signed in, with a token that holds. */
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

  /** The schema is the same for everyone. Anything else is not asked in silence as somebody else. */
  async function sendForNobody(operation, headers) {
    if (operation.operationName === 'IntrospectionQuery') return post(operation, headers);
    return { body: failure(current ? 'Someone else has signed in meanwhile. Run this again.' : ENDED) };
  }

  function subscribe(listener) {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  // `seen` gives {viewer, ended}: who is signed in, or null, and why no longer, where nobody asked for that.
  return { signIn, signOut, send, seen: () => seen, subscribe };
}

/** The clocks may differ: what counts is how long the token lives by the service's own. */
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
