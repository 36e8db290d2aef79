// The operations of sessions, the user who logs in, and where a browser stores the tokens.
import { options } from '../service.js';

export const { email, password, expiredToken } = options;

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
