/**
 * Sends an operation to the service. `body` is the response, or an error in the same shape. `answeredAt` is the
 * service's time in milliseconds, or NaN. Throws if there is no response, or if a header is invalid.
 */
export async function post(operation, written = {}) {
  const headers = new Headers({
    accept: 'application/graphql-response+json, application/json;q=0.9',
    'content-type': 'application/json',
  });
  for (const [name, value] of Object.entries(written)) headers.set(name, value);
  const response = await fetch('/graphql', { method: 'POST', headers, body: JSON.stringify(operation) });
  const body = await response.json().catch(() => failure(`The response with status ${response.status} is not JSON.`));
  return { body, status: response.status, answeredAt: Date.parse(response.headers.get('date')) };
}

/** Returns an error in the shape of a response. */
export function failure(message) {
  return { errors: [{ message }] };
}
