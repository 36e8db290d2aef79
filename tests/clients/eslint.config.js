// What graphql-eslint calls good manners in a schema, held against ours. From the repository's root:
//   tests/clients/node_modules/.bin/eslint --config tests/clients/eslint.config.js schema.graphql
// An exception has its reason beside it, and names as few types as it can.
import { fileURLToPath } from 'node:url';
import graphqlEslint from '@graphql-eslint/eslint-plugin';

const schema = fileURLToPath(new URL('../../schema.graphql', import.meta.url));

// `username` is one word, and the rule, which has no options, takes it for a `name` with the type before it.
const USERNAME = 'Field "username" starts with the name of the parent type "User"';

export default [
  {
    files: ['**/*.graphql'],
    languageOptions: { parser: graphqlEslint.parser, parserOptions: { graphQLConfig: { schema } } },
    plugins: { '@graphql-eslint': graphqlEslint },
    processor: {
      preprocess: (text) => [text],
      postprocess: ([messages]) => messages.filter(({ message }) => message !== USERNAME),
    },
    rules: {
      ...graphqlEslint.configs['flat/schema-recommended'].rules,
      ...graphqlEslint.configs['flat/schema-relay'].rules,

      // Whatever a client's developer can come across says what it is. Values of an enum only where the name does
      // not: NEWEST and OLDEST would be told twice.
      '@graphql-eslint/require-description': [
        'error',
        { types: true, FieldDefinition: true, InputValueDefinition: true, DirectiveDefinition: true },
      ],

      // A list of bounded length (a course's sections, a category's ancestors, a payload's errors) is a plain list,
      // and a connection has `nodes` beside `edges`. The rule's other checks, of the edges themselves, stay.
      '@graphql-eslint/relay-edge-types': ['error', { listTypeCanWrapOnlyEdgeType: false }],

      '@graphql-eslint/strict-id-in-types': [
        'error',
        {
          exceptions: {
            // A page, a place on it, and the answer to one mutation: none can be asked for again.
            suffixes: ['Connection', 'Edge', 'Payload'],
            types: [
              'PageInfo', // where a page lies
              'Money', // a value: equal amounts are the same
              'UserError', // said once, to whoever can mend it
              'Session', // handed out once, as tokens
              'CertificateVerification', // an answer about a certificate; for NOT_FOUND there is none
              // Parts of an object that has an id, kept in a client's cache with it:
              'LectureContent', // of a Lecture
              'LectureLock', // of a Lecture
              'PublishProblem', // of a Course
              'LectureAnalytics', // of a CourseAnalytics
              'ImportProblem', // of a file that the client sent
              'AttemptAnswer', // of an AttemptQuestion
              'AnswerResult', // of an AttemptQuestion
              'QuestionStatistics', // of a QuizStatistics
              'OptionStatistics', // of a QuizStatistics
              'AuditDetail', // of an AuditEvent
              'EarningsBalance', // of an InstructorDashboard, one for each currency
            ],
          },
        },
      ],
    },
  },
];
