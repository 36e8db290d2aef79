// What the tests of the pages share: who sees a page, and its variables.
import assert from 'node:assert/strict';
import { print } from 'graphql';
import { documents } from './documents.js';
import { options, readDirectly } from './service.js';

export const { pages, size, tokens, freeCourse, quizLectureId } = options;
export const PAGE_SIZE = pages.Catalog.first;

const VIEWERS = { Catalog: 'anonymous', InstructorDashboard: 'instructor' };

/** Returns the access token of the person for whom a page is; undefined for anonymous visitors. */
export const tokenOf = (page) => tokens[VIEWERS[page] ?? 'learner'];

/** Returns what the service answers to the page, without a client. */
export const expectedData = (page) => readDirectly(print(documents[page]), pages[page], tokenOf(page));

// `__typename` is added by clients. The others follow the clock, so that they differ from one answer to the next.
const IGNORED = new Set(['__typename', 'asOf', 'remainingSeconds']);

/** Returns data without the fields that may differ between two answers. */
export function comparable(value) {
  if (Array.isArray(value)) return value.map(comparable);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(([name]) => !IGNORED.has(name));
  return Object.fromEntries(entries.map(([name, member]) => [name, comparable(member)]));
}

/** Returns the titles of a list of courses, or of the courses of a list of enrollments. */
export const titles = ({ edges }) => edges.map(({ node }) => (node.course ?? node).title);

/** Checks the order in which the learner goes on. */
export function assertLastAccessedFirst(edges) {
  const times = edges.map(({ node }) => Date.parse(node.lastAccessedAt));
  assert.deepEqual(times, times.toSorted((first, second) => second - first));
}

/** Returns all lectures of a course. */
export const lecturesOf = (course) => course.sections.flatMap(({ lectures }) => lectures);
