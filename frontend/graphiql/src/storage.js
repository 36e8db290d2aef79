// The history plugin keeps each request's headers under these, whatever `shouldPersistHeaders` says.
const HISTORY = new Set(['graphiql:queries', 'graphiql:favorites']);

/** What GraphiQL remembers between visits: in localStorage, but without headers, which carry access tokens. */
export const storage = {
  getItem: (key) => localStorage.getItem(key),
  setItem: (key, value) => localStorage.setItem(key, HISTORY.has(key) ? withoutHeaders(value) : value),
  removeItem: (key) => localStorage.removeItem(key),
  clear: () => ownKeys().forEach((key) => localStorage.removeItem(key)),
  get length() {
    return ownKeys().length;
  },
};

function withoutHeaders(json) {
  return JSON.stringify(JSON.parse(json), (key, value) => (key === 'headers' ? undefined : value));
}

function ownKeys() {
  return Object.keys(localStorage).filter((key) => key.startsWith('graphiql:'));
}
