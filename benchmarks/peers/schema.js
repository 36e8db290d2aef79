// The part of the service's schema that the workloads use.
import { makeExecutableSchema } from "@graphql-tools/schema";

import { courseBySlug, newestCourses } from "./reads.js";

const typeDefs = `
  enum CourseStatus { ARCHIVED DRAFT PUBLISHED }
  enum DifficultyLevel { ADVANCED BEGINNER INTERMEDIATE }
  enum LectureType { ASSIGNMENT QUIZ RESOURCE TEXT VIDEO }
  enum CourseOrder { NEWEST }

  type User { id: ID! username: String! firstName: String! lastName: String! fullName: String! bio: String }
  type Category { id: ID! slug: String! name: String! description: String }

  type Course {
    id: ID! slug: String! title: String! shortDescription: String description: String! language: String!
    difficulty: DifficultyLevel! status: CourseStatus! isFeatured: Boolean! lectureCount: Int!
    durationSeconds: Int! instructor: User! category: Category sections: [Section!]!
  }
  type Section {
    id: ID! title: String! description: String position: Int! lectureCount: Int! durationSeconds: Int!
    lectures: [Lecture!]!
  }
  type Lecture {
    id: ID! title: String! description: String type: LectureType! position: Int! durationSeconds: Int!
    isPreview: Boolean! isDownloadable: Boolean!
  }

  type PageInfo { hasNextPage: Boolean! endCursor: String }
  type CourseConnection { nodes: [Course!]! pageInfo: PageInfo! }

  type Query {
    course(slug: String!): Course
    courses(first: Int = 20, orderBy: CourseOrder = NEWEST): CourseConnection!
  }
`;

const id = (kind) => (row) => Buffer.from(`${kind}:${row.id}`).toString("base64url");

/** Return the cursor of a row, in the format of the service. */
function cursor({ createdAt, id }) {
  const createdAtText = `${createdAt.replace(" ", "T").replace(/\.0+$/, "")}+00:00`;
  return Buffer.from(JSON.stringify(["courses:newest", createdAtText, id])).toString("base64url");
}

const resolvers = {
  CourseStatus: { ARCHIVED: "archived", DRAFT: "draft", PUBLISHED: "published" },
  DifficultyLevel: { ADVANCED: "advanced", BEGINNER: "beginner", INTERMEDIATE: "intermediate" },
  LectureType: { ASSIGNMENT: "assignment", QUIZ: "quiz", RESOURCE: "resource", TEXT: "text", VIDEO: "video" },
  Query: {
    course: (_, { slug }) => courseBySlug(slug),
    courses: async (_, { first }) => {
      const rows = await newestCourses(first + 1);
      return { nodes: rows.slice(0, first), hasMore: rows.length > first };
    },
  },
  CourseConnection: {
    pageInfo: ({ nodes, hasMore }) => ({
      hasNextPage: hasMore,
      endCursor: nodes.length ? cursor(nodes.at(-1)) : null,
    }),
  },
  Course: {
    id: id("Course"),
    instructor: (course, _, { users }) => users.load(course.instructorKey),
    category: (course, _, { categories }) => course.categoryKey && categories.load(course.categoryKey),
    sections: (course, _, { sections }) => sections.load(course.id),
  },
  Section: {
    id: id("Section"),
    lectures: (section, _, { lectures }) => lectures.load(section.id),
  },
  Lecture: { id: id("Lecture") },
  User: {
    id: id("User"),
    fullName: (user) => (user.deletedAt ? "Deleted user" : `${user.firstName} ${user.lastName}`.trim()),
  },
  Category: { id: id("Category") },
};

export const schema = makeExecutableSchema({ typeDefs, resolvers });
