// urql for the pages: graphcache, a normalized cache that knows the schema and in which lists grow page by page.
import { setTimeout } from 'node:timers/promises';
import { Client, fetchExchange } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import { documents } from '../documents.js';
import { connections, introspection, typesWithoutId } from '../schema.js';
import { url } from '../service.js';

const keys = Object.fromEntries(typesWithoutId.map((name) => [name, () => null]));

const resolvers = {};
for (const { type, field } of connections) (resolvers[type] ??= {})[field] = relayPagination();

/** Changes of lists, which no answer contains. Objects with ids update themselves. */
const updates = {
  Mutation: {
    createNote({ createNote: { note } }, _args, cache) {
      if (!note) return;
      const notes = cache.resolve(note.lecture, 'viewerNotes') ?? [];
      cache.link(note.lecture, 'viewerNotes', [...notes, note]);
    },
    // An invalid note in a list that has no nulls would make graphcache load the page again.
    deleteNote({ deleteNote: { deletedId } }, _args, cache) {
      if (!deletedId) return;
      const note = cache.keyOfEntity({ __typename: 'Note', id: deletedId });
      const lecture = cache.resolve(note, 'lecture');
      const notes = cache.resolve(lecture, 'viewerNotes') ?? [];
      cache.link(lecture, 'viewerNotes', notes.filter((key) => key !== note));
      cache.invalidate(note);
    },
    askQuestion({ askQuestion: { question } }, { input }, cache) {
      if (!question) return;
      const edge = { __typename: 'QAQuestionEdge', node: question };
      cache.updateQuery({ query: documents.Player, variables: { lectureId: input.lectureId } }, (page) => {
        page?.node.qaQuestions.edges.unshift(edge);
        return page;
      });
    },
  },
};

const optimistic = {
  voteQaQuestion({ input: { questionId: id, vote } }, cache) {
    const voteCount = cache.resolve({ __typename: 'QAQuestion', id }, 'voteCount');
    const question = { __typename: 'QAQuestion', id, voteCount: voteCount + (vote ? 1 : -1), viewerHasVoted: vote };
    return { __typename: 'QAQuestionPayload', question, errors: [] };
  },
  recordLectureProgress({ input: { lectureId, positionSeconds } }, cache) {
    const lecture = { __typename: 'Lecture', id: lectureId };
    const key = cache.resolve(lecture, 'viewerProgress');
    const id = cache.resolve(key, 'id') ?? 'LectureProgress:new';
    const seconds = Math.floor(positionSeconds);
    const viewerProgress = { __typename: 'LectureProgress', id };
    const state = { isCompleted: false, positionSeconds: seconds, watchSeconds: seconds };
    const progress = { ...viewerProgress, ...state, lecture: { ...lecture, viewerProgress } };
    return { __typename: 'LectureProgressPayload', progress, enrollment: null, errors: [] };
  },
};

export function createClient(token) {
  return new Client({
    url,
    exchanges: [cacheExchange({ schema: introspection, keys, resolvers, updates, optimistic }), fetchExchange],
    fetchOptions: () => ({ headers: token ? { authorization: `Bearer ${token}` } : {} }),
    preferGetMethod: false,
  });
}

/** Waits until the pages have received the changes of the cache, and have asked for what it misses. */
export const rendered = () => setTimeout(10);

/** Shows a page as useQuery does. `data()` is what is on the screen, also after changes of the cache. */
export async function show(client, query, variables) {
  let shown;
  const { unsubscribe } = client.query(query, variables).subscribe((result) => (shown = result));
  const { error } = await client.query(query, variables).toPromise();
  if (error) throw error;
  await rendered();
  return { data: () => shown.data, close: unsubscribe };
}

/** Runs a mutation. Top-level errors throw, as useMutation's `error` would be shown. */
export async function mutate(client, mutation, input) {
  const { data, error } = await client.mutation(mutation, { input }).toPromise();
  if (error) throw error;
  await rendered();
  return data;
}
