/** The operations of signing in and out, and functions that read their responses. */

export const login = (input) => ({
  query: `mutation SignIn($input: LoginInput!) {
    login(input: $input) {
      session { accessToken accessTokenExpiresAt refreshToken user { fullName role } }
      errors { code message }
    }
  }`,
  variables: { input },
});

export const refreshSession = (input) => ({
  query: `mutation StaySignedIn($input: RefreshSessionInput!) {
    refreshSession(input: $input) {
      session { accessToken accessTokenExpiresAt refreshToken }
      errors { code message }
    }
  }`,
  variables: { input },
});

export const logout = (input) => ({
  query: `mutation SignOut($input: LogoutInput!) {
    logout(input: $input) { ok errors { code message } }
  }`,
  variables: { input },
});

/** Expected errors of a mutation. `codes` are for programs, the message is for the user. */
export class Refusal extends Error {
  constructor(errors) {
    super(errors.map(({ message }) => message).join(' '));
    this.codes = errors.map(({ code }) => code);
  }
}

/** Returns the mutation's payload. Throws a Refusal for expected errors, and an Error for all others. */
export function payloadOf({ body: { data, errors = [] } }, mutation) {
  const payload = data?.[mutation];
  if (!payload) throw new Error(errors[0]?.message ?? 'The service sent no result. Try again.');
  if (payload.errors.length) throw new Refusal(payload.errors);
  return payload;
}

/** Returns whether the token is no longer valid. The service has executed nothing of such a request. */
export function isUnauthenticated({ status, body }) {
  return status === 401 && Boolean(body.errors?.some(({ extensions }) => extensions?.code === 'UNAUTHENTICATED'));
}
