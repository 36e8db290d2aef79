import { useSession } from './useSession.js';
import './signIn.css';

/** The signed-in user, above the editors. A screen reader announces every change. */
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
