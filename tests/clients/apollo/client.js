// Apollo Client for the pages: a normalized cache in which lists grow page by page.
import { setTimeout } from 'node:timers/promises';
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import { SetContextLink } from '@apollo/client/link/context';
import { relayStylePagination } from '@apollo/client/utilities';
import { filter, firstValueFrom } from 'rxjs';
import { connections, possibleTypes } from '../schema.js';
import { url } from '../service.js';

function typePolicies() {
  const policies = {
    LectureContent: { merge: true }, // has no id, and each page asks for other fields
  };
  for (const { type, field, filters } of connections) {
    policies[type] ??= { fields: {} };
    policies[type].fields[field] = relayStylePagination(filters);
  }
  return policies;
}

export function createClient(token) {
  const authLink = new SetContextLink(({ headers }) => ({
    headers: { ...headers, ...(token && { authorization: `Bearer ${token}` }) },
  }));
  return new ApolloClient({
    cache: new InMemoryCache({ possibleTypes, typePolicies: typePolicies() }),
    link: ApolloLink.from([authLink, new HttpLink({ uri: url })]),
    defaultOptions: { mutate: { errorPolicy: 'all' } },
  });
}

/** Waits until the pages have received the changes of the cache, and have asked for what it misses. */
export const rendered = () => setTimeout(10);

/** Shows a page as useQuery does. `data()` is what is on the screen, also after changes of the cache. */
export async function show(client, query, variables) {
  const page = client.watchQuery({ query, variables });
  const subscription = page.subscribe(() => {});
  await firstValueFrom(page.pipe(filter(({ loading }) => !loading)));
  await rendered();
  const { error } = page.getCurrentResult();
  if (error) throw error;
  return { page, data: () => page.getCurrentResult().data, close: () => subscription.unsubscribe() };
}
