/**
 * Sends an operation to the service and hands its answer to GraphiQL.
 *
 * GraphiQL's own fetcher asks for `multipart/mixed` and knows subscriptions; the service has neither. It also shows a
 * bare exception with a stack where the answer is no JSON, so what goes wrong on the way is made a GraphQL error here.
 */
export async function fetcher(operation, { headers: written } = {}) {
  const headers = new Headers({
    accept: 'application/graphql-response+json, application/json;q=0.9',
    'content-type': 'application/json',
  });
  try {
    // Inside the `try`: what a person wrote in the headers editor may be no valid header.
    for (const [name, value] of Object.entries(written ?? {})) headers.set(name, value);
    const response = await fetch('/graphql', { method: 'POST', headers, body: JSON.stringify(operation) });
    return await response.json().catch(() => failure(`The service answered ${response.status} without JSON.`));
  } catch (error) {
    return failure(`The request was not answered: ${error.message}`);
  }
}

function failure(message) {
  return { errors: [{ message }] };
}
