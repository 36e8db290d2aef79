// The history plugin stores the headers of each request under these keys, even without `shouldPersistHeaders`.
const HISTORY = new Set(['graphiql:queries', 'graphiql:favorites']);
// GraphiQL stores the texts of its editors a second time. If they differ from the tabs, a reload opens a tab for them.
const EDITORS = new Map([['graphiql:query', 'query'], ['graphiql:variables', 'variables']]);
const TABS = 'graphiql:tabState';

/**
 * GraphiQL's storage: localStorage, but without headers, because they contain access tokens. The texts of the editors
 * are those of the active tab.
 */
export const storage = {
  getItem: (key) => (EDITORS.has(key) ? activeTab()?.[EDITORS.get(key)] ?? null : localStorage.getItem(key)),
  setItem: (key, value) => localStorage.setItem(key, HISTORY.has(key) ? withoutHeaders(value) : value),
  removeItem: (key) => localStorage.removeItem(key),
  clear: () => ownKeys().forEach((key) => localStorage.removeItem(key)),
  get length() {
    return ownKeys().length;
  },
};

/** Returns the stored active tab, or null before the first visit. */
export function activeTab() {
  try {
    const { tabs, activeTabIndex } = JSON.parse(localStorage.getItem(TABS));
    return tabs[activeTabIndex] ?? null;
  } catch {
    return null;
  }
}

function withoutHeaders(json) {
  return JSON.stringify(JSON.parse(json), (key, value) => (key === 'headers' ? undefined : value));
}

function ownKeys() {
  return Object.keys(localStorage).filter((key) => key.startsWith('graphiql:'));
}
