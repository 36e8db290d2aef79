// The rules of graphql-eslint for schema.graphql. From the repository's root:
//   tests/clients/node_modules/.bin/eslint --config tests/clients/eslint.config.js schema.graphql
// Each exception has its reason beside it, and names as few types as possible.
import { fileURLToPath } from 'node:url';
import graphqlEslint from '@graphql-eslint/eslint-plugin';

const schema = fileURLToPath(new URL('../../schema.graphql', import.meta.url));

// `username` is one word. The rule has no options, and reads it as a `name` with the type before it.
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

      // Everything that a client's developer can use is described.
      '@graphql-eslint/require-description': [
        'error',
        {
          types: true,
          FieldDefinition: true,
          InputValueDefinition: true,
          EnumValueDefinition: true,
          DirectiveDefinition: true,
        },
      ],

      // A list of bounded length (a course's sections, a category's ancestors, a payload's errors) is a plain list,
      // and a connection has `nodes` beside `edges`. The rule's other checks, of the edges themselves, stay.
      '@graphql-eslint/relay-edge-types': ['error', { listTypeCanWrapOnlyEdgeType: false }],

      '@graphql-eslint/strict-id-in-types': [
        'error',
        {
          exceptions: {
            // A page, a position on it, and the result of a mutation: none of them can be loaded again.
            suffixes: ['Connection', 'Edge', 'Payload'],
            types: [
              'PageInfo', // position of a page
              'Money', // a value: equal amounts are the same
              'UserError', // part of a mutation's result
              'Session', // tokens, which are returned once
              'CertificateVerification', // result of a check; for NOT_FOUND there is no certificate
              // Numbers of courses, which belong to the arguments of their field:
              'CourseFacets',
              'DifficultyFacet',
              'LanguageFacet',
              'CategoryFacet',
              // Parts of an object that has an id. Caches store them with it:
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
