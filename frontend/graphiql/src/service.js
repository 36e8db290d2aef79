/**
 * Sends an operation to the service. `body` is its answer, or an error in the form of one; `answeredAt` is when, by
 * the service's clock, in milliseconds (or NaN). Throws where nothing is answered, or a header cannot be sent.
 */
export async function post(operation, written = {}) {
  const headers = new Headers({
    accept: 'application/graphql-response+json, application/json;q=0.9',
    'content-type': 'application/json',
  });
  for (const [name, value] of Object.entries(written)) headers.set(name, value);
  const response = await fetch('/graphql', { method: 'POST', headers, body: JSON.stringify(operation) });
  const body = await response.json().catch(() => failure(`The service answered ${response.status} without JSON.`));
  return { body, status: response.status, answeredAt: Date.parse(response.headers.get('date')) };
}

/** What went wrong before there was an answer, as one. */
export function failure(message) {
  return { errors: [{ message }] };
}
