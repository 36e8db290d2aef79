/** The operations of signing in and out, as they are sent, and how to read their answers. */

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

/** The service understood, and says no. `codes` are for programs, the message for who asked. */
export class Refusal extends Error {
  constructor(errors) {
    super(errors.map(({ message }) => message).join(' '));
    this.codes = errors.map(({ code }) => code);
  }
}

/** The mutation's payload; throws a Refusal where it says no, another error where something is wrong. */
export function payloadOf({ body: { data, errors = [] } }, mutation) {
  const payload = data?.[mutation];
  if (!payload) throw new Error(errors[0]?.message ?? 'The service gave no answer.');
  if (payload.errors.length) throw new Refusal(payload.errors);
  return payload;
}

/** Whether a token is good no longer. Such a request was refused as a whole: nothing of it was carried out. */
export function isUnauthenticated({ status, body }) {
  return status === 401 && Boolean(body.errors?.some(({ extensions }) => extensions?.code === 'UNAUTHENTICATED'));
}
