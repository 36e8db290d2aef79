// What the tests of all clients share: the service, its user, the operations and a record of the requests.
//   node apollo.mjs '{"url": …, "email": …, "password": …, "expiredToken": …}'
import { beforeEach } from 'node:test';

export const { url, email, password, expiredToken } = JSON.parse(process.argv[2]);

export const CATEGORIES = /* GraphQL */ `
  query Categories {
    categories {
      id
      name
    }
  }
`;
export const ME = /* GraphQL */ `
  query Me {
    me {
      id
      email
    }
  }
`;
const SESSION = /* GraphQL */ `
  session { accessToken refreshToken }
  errors { code message path }
`;
export const LOGIN = /* GraphQL */ `
  mutation Login($input: LoginInput!) { login(input: $input) { ${SESSION} } }
`;
export const REFRESH = /* GraphQL */ `
  mutation Refresh($input: RefreshSessionInput!) { refreshSession(input: $input) { ${SESSION} } }
`;

// A browser's localStorage, which Node 20 lacks.
export class Storage {
  #items = new Map();
  getItem(name) {
    return this.#items.get(name) ?? null;
  }
  setItem(name, value) {
    this.#items.set(name, String(value));
  }
  removeItem(name) {
    this.#items.delete(name);
  }
  saveSession({ accessToken, refreshToken }) {
    this.setItem('token', accessToken);
    this.setItem('refreshToken', refreshToken);
  }
}

// Records each request of a test, and returns the records so far.
const requests = [];
const send = globalThis.fetch;
globalThis.fetch = async (input, options = {}) => {
  const response = await send(input, options);
  const body = options.body ? JSON.parse(options.body) : Object.fromEntries(new URL(input).searchParams);
  requests.push({
    operation: body.operationName,
    method: options.method ?? 'GET',
    hasQuery: 'query' in body,
    isPersisted: JSON.stringify(body.extensions ?? '').includes('persistedQuery'),
    authorization: new Headers(options.headers).get('authorization'),
    status: response.status,
  });
  return response;
};
export const takeRequests = () => requests.splice(0);
beforeEach(() => void takeRequests());
