const MAX_CHARACTERS = 8_000; // common proxies reject a longer request line

/** Returns the link that opens a document in GraphiQL. Headers never belong to it, because they contain tokens. */
export function linkTo({ query, variables, operationName }, page) {
  const link = new URL(page);
  const texts = Object.entries({ query, variables, operationName }).filter(([, text]) => text);
  link.search = new URLSearchParams(texts);
  if (link.href.length > MAX_CHARACTERS) throw new Error('This document is too long for a link.');
  return link.href;
}

/** Returns the document of a link as {query, variables, operationName}, or null if there is none. */
export function linkedDocument(page) {
  const texts = new URL(page).searchParams;
  if (!texts.get('query')) return null;
  return Object.fromEntries(['query', 'variables', 'operationName'].map((name) => [name, texts.get(name) ?? '']));
}
