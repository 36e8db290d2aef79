// Relay's environment for the pages, and what its hooks do, without React.
import {
  Environment,
  Network,
  RecordSource,
  Store,
  commitMutation,
  createOperationDescriptor,
  fetchQuery,
  getPaginationMetadata,
  getPaginationVariables,
  getRefetchMetadata,
  getRequest,
  getSelector,
} from 'relay-runtime';
import { url } from '../service.js';

export function createEnvironment(token) {
  const authorization = token && { authorization: `Bearer ${token}` };
  const network = Network.create(async ({ name, text }, variables) => {
    const body = JSON.stringify({ operationName: name, query: text, variables });
    const headers = { 'content-type': 'application/json', ...authorization };
    const response = await fetch(url, { method: 'POST', headers, body });
    return response.json();
  });
  return new Environment({ network, store: new Store(new RecordSource()) });
}

/** Shows a page as useLazyLoadQuery does: `data()` is its data, also after changes of the store. */
export async function show(environment, query, variables) {
  const operation = createOperationDescriptor(getRequest(query), variables);
  environment.retain(operation);
  await fetchQuery(environment, query, variables).toPromise();
  const { missingClientEdges, isMissingData } = environment.lookup(operation.fragment);
  if (isMissingData || missingClientEdges) throw new Error('The store misses data of the page.');
  return {
    data: () => environment.lookup(operation.fragment).data,
    isComplete: () => environment.check(operation).status === 'available',
  };
}

/** Reads a fragment as useFragment does. */
export const read = (environment, fragment, ref) => environment.lookup(getSelector(fragment, ref)).data;

/** Loads the next page as usePaginationFragment's `loadNext` does. */
export async function loadNext(environment, fragment, ref, count) {
  const { connectionPathInFragmentData, paginationRequest, paginationMetadata } = getPaginationMetadata(
    fragment,
    'loadNext',
  );
  const { data, variables } = selection(environment, fragment, ref);
  const { pageInfo } = connectionPathInFragmentData.reduce((value, key) => value[key], data);
  const page = getPaginationVariables('forward', count, pageInfo.endCursor, variables, {}, paginationMetadata);
  await fetchQuery(environment, paginationRequest, { ...page, ...identifier(fragment, data) }).toPromise();
}

/** Loads a fragment again as useRefetchableFragment's `refetch` does. */
export async function refetch(environment, fragment, ref) {
  const { data, variables } = selection(environment, fragment, ref);
  const { refetchableRequest } = getRefetchMetadata(fragment, 'refetch');
  await fetchQuery(environment, refetchableRequest, { ...variables, ...identifier(fragment, data) }).toPromise();
}

function selection(environment, fragment, ref) {
  const selector = getSelector(fragment, ref);
  return { data: environment.lookup(selector).data, variables: { ...selector.owner.variables, ...selector.variables } };
}

/** Returns the id by which Query.node finds the object of the fragment; nothing if the fragment is on Query. */
function identifier(fragment, data) {
  const { identifierInfo } = getRefetchMetadata(fragment, 'refetch');
  return identifierInfo && { [identifierInfo.identifierQueryVariableName]: data[identifierInfo.identifierField] };
}

/** Runs a mutation and returns its data. Top-level errors throw. */
export function mutate(environment, mutation, variables, options = {}) {
  return new Promise((resolve, reject) => {
    const onCompleted = (data, errors) => (errors ? reject(new Error(errors[0].message)) : resolve(data));
    commitMutation(environment, { mutation, variables, onCompleted, onError: reject, ...options });
  });
}
