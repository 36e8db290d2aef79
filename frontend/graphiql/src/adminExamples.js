/** Examples of courses and of the audit log for super admins. They come last. The shape is that of `examples.js`. */
export const ADMIN_EXAMPLES = [
  {
    title: 'Give a course away: drafts and archived courses',
    about: 'Courses of all instructors that the catalog does not show.',
    viewer: 'admin',
    variables: { statuses: ['DRAFT', 'ARCHIVED'] },
    query: `query UnpublishedCourses($statuses: [CourseStatus!]) {
  courses(filter: {statuses: $statuses}, first: 10) {
    totalCount
    nodes {
      id
      status
      title
      updatedAt
      instructor {
        fullName
      }
    }
  }
}
`,
  },
  {
    title: 'Give a course away: who may teach',
    about: 'Active instructors, by name.',
    viewer: 'admin',
    variables: { filter: { role: 'INSTRUCTOR', isActive: true } },
    query: `query Instructors($filter: UserFilter) {
  users(filter: $filter, orderBy: NAME, first: 10) {
    nodes {
      id
      fullName
      email
      teaching {
        courseCount
      }
    }
  }
}
`,
  },
  {
    title: 'Give a course away: transfer it',
    about: 'Sales, certificates and enrollments so far stay as they are.',
    viewer: 'admin',
    variables: { courseId: '', instructorId: '' },
    query: `# The ids of a course and a user
# of the examples before.
mutation TransferCourse($courseId: ID!, $instructorId: ID!) {
  transferCourse(input: {
    courseId: $courseId
    instructorId: $instructorId
  }) {
    course {
      title
      version
      instructor {
        fullName
      }
    }
    errors {
      code
      message
      path
    }
  }
}
`,
  },
  {
    title: 'The audit log',
    about: 'What was done by whom: here, the courses that were given away.',
    viewer: 'admin',
    variables: { filter: { action: 'course.transferred' } },
    query: `# Without a filter you get all actions.
query AuditLog($filter: AuditEventFilter) {
  auditEvents(filter: $filter, first: 10) {
    totalCount
    nodes {
      action
      createdAt
      actor {
        fullName
      }
      # For the query "node".
      subjectId
      clientIp
      details {
        name
        value
      }
    }
  }
}
`,
  },
];
