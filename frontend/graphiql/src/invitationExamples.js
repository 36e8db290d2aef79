/**
 * The examples about learners of a course, in the shape of `examples.js`: invitations by email, and the list of learners.
 */
export const INVITATION_EXAMPLES = [
  {
    title: 'Invite learners',
    about: 'Mails with a link for one person each, to addresses with and without accounts.',
    viewer: 'instructor',
    variables: {
      courseId: '',
      emails: ['nadia.new@example.org', 'omar.new@example.org'],
      message: 'See you on Tuesday!',
    },
    query: `# The id of one of your courses.
# Inviting an address again sends
# a new link, and the old one stops.
mutation InviteLearners($courseId: ID!, $emails: [String!]!, $message: String) {
  inviteLearners(input: {
    courseId: $courseId
    emails: $emails
    message: $message
  }) {
    invitations {
      id
      email
      status
      expiresAt
    }
    errors {
      code
      message
      # The number of a bad address
      # is its last part.
      path
    }
  }
}
`,
  },
  {
    title: 'Invitations of a course',
    about: 'Who was invited, newest first, and who has accepted.',
    viewer: 'instructor',
    variables: { slug: 'python-from-zero', status: null },
    query: `query CourseInvitations($slug: String!, $status: InvitationStatus) {
  course(slug: $slug) {
    invitations(status: $status, first: 20) {
      totalCount
      nodes {
        id
        email
        status
        createdAt
        expiresAt
        # Once accepted. The account may
        # have another address.
        enrollment {
          user {
            fullName
          }
          progress {
            percent
          }
        }
      }
    }
  }
}
`,
  },
  {
    title: 'Learners of a course',
    about: 'Search by name, and five orders such as the least progress first.',
    viewer: 'instructor',
    variables: { slug: 'python-from-zero', search: null, orderBy: 'MOST_PROGRESS' },
    query: `query CourseLearners($slug: String!, $search: String, $orderBy: EnrollmentOrder) {
  course(slug: $slug) {
    enrollments(search: $search, orderBy: $orderBy, first: 20) {
      totalCount
      nodes {
        status
        lastAccessedAt
        user {
          fullName
        }
        progress {
          percent
        }
      }
    }
  }
}
`,
  },
];
