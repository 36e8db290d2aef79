import { useSyncExternalStore } from 'react';
import { post } from './service.js';
import { makeSession } from './session.js';

/** The page's one session. */
export const session = makeSession(post, sessionStorage);

/** `{viewer, ended}` of the session, up to date. */
export function useSession() {
  return useSyncExternalStore(session.subscribe, session.seen);
}
