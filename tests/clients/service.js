// The service under test, and a record of the requests that a client sends to it. Each script gets its options as JSON:
//   node sessions/apollo.js '{"url": "http://127.0.0.1:8000/graphql", …}'
import { beforeEach } from 'node:test';

export const options = JSON.parse(process.argv[2]);
export const { url, artifacts } = options;

const requests = [];
const send = globalThis.fetch;
globalThis.fetch = async (input, init = {}) => {
  const body = init.body ? JSON.parse(init.body) : Object.fromEntries(new URL(input).searchParams);
  const request = {
    operation: body.operationName,
    method: init.method ?? 'GET',
    hasQuery: 'query' in body,
    isPersisted: JSON.stringify(body.extensions ?? '').includes('persistedQuery'),
    authorization: new Headers(init.headers).get('authorization'),
  };
  requests.push(request); // before it is sent, so that no request on its way is missed
  const response = await send(input, init);
  request.status = response.status;
  return response;
};

/** Returns the requests since the last call, and since the start of the test. */
export const takeRequests = () => requests.splice(0);
/** Returns the names of their operations. */
export const takeOperations = () => takeRequests().map(({ operation }) => operation);
beforeEach(() => void takeRequests());

/** Sends an operation without a client and without a record, and returns its data. */
export async function readDirectly(query, variables, token) {
  const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
  const response = await send(url, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
  const { data, errors } = await response.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}
