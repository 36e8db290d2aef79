import { failure, post } from './service.js';
import { session } from './useSession.js';

/**
 * Sends an operation to the service, as whoever is signed in, and hands its answer to GraphiQL.
 *
 * GraphiQL's own fetcher asks for `multipart/mixed` and knows subscriptions; the service has neither. It also shows a
 * bare exception with a stack where the answer is no JSON, so what goes wrong on the way is made a GraphQL error here.
 */
export async function fetcher(operation, { headers } = {}) {
  try {
    // Inside the `try`: what a person wrote in the headers editor may be no valid header.
    const isForAnother = new Headers(headers ?? {}).has('authorization');
    const { body } = await (isForAnother ? post(operation, headers) : session.send(operation, headers));
    return body;
  } catch (error) {
    return failure(`The request was not answered: ${error.message}`);
  }
}
