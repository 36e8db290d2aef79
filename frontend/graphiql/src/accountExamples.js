/**
 * The examples about the viewer's own account, in the shape of `examples.js`: profile and sessions.
 */
export const ACCOUNT_EXAMPLES = [
  {
    title: 'My profile: change it',
    about: 'Username, names, biography and picture. What is left out stays.',
    viewer: 'learner',
    variables: { input: { username: 'jane.learner', bio: 'I learn in the evening.' } },
    query: `# A username can change once in 30 days.
mutation ChangeProfile($input: UpdateProfileInput!) {
  updateProfile(input: $input) {
    user {
      username
      fullName
      bio
      profileImageUrl
    }
    errors {
      code
      message
      path
      limit
    }
  }
}
`,
  },
  {
    title: 'My sessions',
    about: 'Where I am logged in, the last used first.',
    viewer: 'learner',
    variables: undefined,
    query: `query MySessions {
  me {
    email
    sessions {
      id
      isCurrent
      userAgent
      clientIp
      createdAt
      lastUsedAt
      expiresAt
    }
  }
}
`,
  },
  {
    title: 'My sessions: end one',
    about: 'Log out a device that is lost. Its tokens are invalid at once.',
    viewer: 'learner',
    variables: { sessionId: '' },
    query: `# The id of one of your sessions. If it
# is the current one, you are logged out.
mutation EndSession($sessionId: ID!) {
  endSession(input: {sessionId: $sessionId}) {
    ok
    errors {
      code
      message
      path
    }
  }
}
`,
  },
];
