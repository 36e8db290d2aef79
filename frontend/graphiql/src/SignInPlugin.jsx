import { useRef, useState } from 'react';
import { Button } from '@graphiql/react';
import { learnPassword, rememberedPassword, SEED_USERS } from './seedUsers.js';
import { session, useSession } from './useSession.js';
import { Person } from './WhoAmI.jsx';
import './signIn.css';

/** A sidebar pane that shows the signed-in user, with a form to sign in as another one. */
export const signInPlugin = { title: 'Sign in', icon: Icon, content: SignIn };

function SignIn() {
  const { viewer, ended } = useSession();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const { say, said, isBusy, once } = useOneAtATime();
  const passwordField = useRef(null);
  const status = useRef(null);

  const signIn = (email, password) =>
    once(async () => {
      try {
        await session.signIn(email, password);
        learnPassword(email, password, true);
        setPassword('');
      } catch (error) {
        if (error.codes?.includes('INVALID_CREDENTIALS')) {
          learnPassword(email, password, false);
          passwordField.current?.focus();
        }
        throw error;
      }
    });

  function choose(user) {
    setEmail(user.email);
    const known = rememberedPassword() || password;
    if (known) return signIn(user.email, known);
    say('');
    passwordField.current.focus();
  }

  const signOut = () =>
    once(async () => {
      status.current.focus(); // the button disappears
      await session.signOut();
    });

  function submit(event) {
    event.preventDefault();
    signIn(email, password);
  }

  return (
    <section aria-labelledby="sign-in-title" aria-busy={isBusy} className="sign-in">
      <h2 id="sign-in-title" className="pane-title">Sign in</h2>

      <div className="sign-in-status">
        <p ref={status} tabIndex={-1}>
          {viewer ? <>Signed in as <Person {...viewer} /></> : 'Not signed in. Requests are anonymous.'}
        </p>
        {viewer && <Button onClick={signOut}>Sign out</Button>}
      </div>
      <p role="alert" className="sign-in-problem">{said || ended}</p>

      <h3 id="seed-users">Seed users</h3>
      <ul aria-labelledby="seed-users">
        {SEED_USERS.map((user) => (
          <li key={user.email}>
            <button
              type="button"
              className="graphiql-un-styled sign-in-user"
              aria-current={user.email === viewer?.email.toLowerCase()}
              onClick={() => choose(user)}
            >
              <span><Person {...user} /></span>
              <span>{user.email}</span>
            </button>
          </li>
        ))}
      </ul>
      <p id="password-hint" className="sign-in-hint">
        They share one password: <code>LMS_SEED_PASSWORD</code>, or the one that <code>scripts/serve</code> printed at
        its first start. <code>.venv/bin/lms-graphql db init --new-seed-password</code> replaces it. This page remembers
        it until you leave or reload it.
      </p>

      <h3 id="another-user">Another user</h3>
      <form onSubmit={submit} aria-labelledby="another-user">
        <label htmlFor="sign-in-email">E-mail</label>
        <input
          id="sign-in-email"
          type="email"
          autoComplete="username"
          required
          value={email}
          onChange={(event) => setEmail(event.target.value)}
        />
        <label htmlFor="sign-in-password">Password</label>
        <input
          id="sign-in-password"
          ref={passwordField}
          type="password"
          autoComplete="current-password"
          aria-describedby="password-hint"
          required
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
        <Button type="submit">{isBusy ? 'One moment …' : 'Sign in'}</Button>
      </form>
    </section>
  );
}

/** Runs one action at a time: a second click is ignored. The error of an action is shown until the next one. */
function useOneAtATime() {
  const [said, say] = useState('');
  const [isBusy, setBusy] = useState(false);
  const underWay = useRef(false); // the state is a render late
  async function once(act) {
    if (underWay.current) return;
    underWay.current = true;
    setBusy(true);
    say('');
    try {
      await act();
    } catch (error) {
      say(error.message);
    }
    underWay.current = false;
    setBusy(false);
  }
  return { said, say, isBusy, once };
}

/** Head and shoulders, in the style of GraphiQL's own icons. */
function Icon(props) {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" {...props}>
      <circle cx="12" cy="8" r="4" />
      <path d="M4 21c0-4.5 3.5-7 8-7s8 2.5 8 7" />
    </svg>
  );
}
