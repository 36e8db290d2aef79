import { useSession } from './useSession.js';
import './signIn.css';

/** Above the editors, for the eye and, whenever it changes, for a screen reader: as whom the next request asks. */
export function WhoAmI() {
  const { viewer } = useSession();
  return (
    <span role="status" className="who-am-i">
      {viewer ? <Person {...viewer} /> : 'Not signed in'}
    </span>
  );
}

export function Person({ fullName, role }) {
  return (
    <>
      <strong>{fullName}</strong> <code>{role}</code>
    </>
  );
}
