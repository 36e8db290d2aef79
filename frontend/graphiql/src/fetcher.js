import { failure, post } from './service.js';
import { session } from './useSession.js';

/**
 * Sends an operation to the service as the signed-in user, and returns the response to GraphiQL.
 *
 * GraphiQL's own fetcher asks for `multipart/mixed` and supports subscriptions; the service has neither. It also shows
 * an exception with its stack if a response is not JSON. This one turns such failures into GraphQL errors.
 */
export async function fetcher(operation, { headers } = {}) {
  try {
    // Inside the `try`, because the headers editor may contain invalid headers.
    const isForAnother = new Headers(headers ?? {}).has('authorization');
    const { body } = await (isForAnother ? post(operation, headers) : session.send(operation, headers));
    return body;
  } catch (error) {
    return failure(`The request failed: ${error.message}. Check the connection to the service.`);
  }
}
