// The statements, and a request's loaders over them: the same tables, columns and conditions as the service's own.
import DataLoader from "dataloader";

import { byKeys, prepared } from "./database.js";

const COURSE = `
  SELECT id, slug, title, title_key, short_description AS shortDescription, description, language,
    difficulty_level AS difficulty, status, price, currency, is_featured AS isFeatured, allow_qa AS allowQa,
    allow_notes AS allowNotes, thumbnail_url AS thumbnailUrl, preview_video_url AS previewVideoUrl,
    instructor_id AS instructorKey, category_id AS categoryKey, total_lectures AS lectureCount,
    total_duration AS durationSeconds, enrollment_count AS enrollmentCount, published_at AS publishedAt,
    created_at AS createdAt, updated_at AS updatedAt, version
  FROM courses`;

const SECTION = `
  SELECT id, course_id AS courseKey, title, description, order_index AS position, total_lectures AS lectureCount,
    total_duration AS durationSeconds
  FROM sections`;

const LECTURE = `
  SELECT id, section_id AS sectionKey, course_id AS courseKey, title, description, lecture_type AS type,
    order_index AS position, duration AS durationSeconds, is_preview AS isPreview,
    is_downloadable AS isDownloadable
  FROM lectures`;

const USER = `
  SELECT id, username, first_name AS firstName, last_name AS lastName, role, bio,
    profile_image AS profileImageUrl, created_at AS createdAt, email, is_active AS isActive,
    is_verified AS isEmailVerified, last_login AS lastLoginAt, deleted_at AS deletedAt
  FROM users`;

const CATEGORY = "SELECT id, slug, name, description, parent_id AS parentKey FROM course_categories";

const TAUGHT_IN_PUBLIC = "EXISTS (SELECT * FROM courses WHERE instructor_id = users.id AND published_at IS NOT NULL)";

export async function courseBySlug(slug) {
  const found = await prepared(`${COURSE} WHERE status = 'published' AND slug = ?`, [slug]);
  return found[0] ?? null;
}

export function newestCourses(limit) {
  const newest = "ORDER BY created_at DESC, id DESC LIMIT ?";
  return prepared(`${COURSE} WHERE status = 'published' ${newest}`, [String(limit)]);
}

async function usersById(keys) {
  return inOrder(keys, await byKeys(`${USER} WHERE id IN (?) AND ${TAUGHT_IN_PUBLIC}`, keys));
}

async function categoriesById(keys) {
  return inOrder(keys, await byKeys(`${CATEGORY} WHERE id IN (?)`, keys));
}

async function sectionsByCourse(keys) {
  const clause = "WHERE deleted_at IS NULL AND course_id IN (?) ORDER BY course_id, order_index, id";
  return grouped(keys, "courseKey", await byKeys(`${SECTION} ${clause}`, keys));
}

async function lecturesBySection(keys) {
  const clause = "WHERE deleted_at IS NULL AND section_id IN (?) ORDER BY section_id, order_index, id";
  return grouped(keys, "sectionKey", await byKeys(`${LECTURE} ${clause}`, keys));
}

function inOrder(keys, found) {
  const byId = new Map(found.map((row) => [row.id, row]));
  return keys.map((key) => byId.get(key) ?? null);
}

function grouped(keys, column, found) {
  const groups = new Map(keys.map((key) => [key, []]));
  for (const row of found) groups.get(row[column]).push(row);
  return keys.map((key) => groups.get(key));
}

/** What one request has read it does not read again. */
export const makeContext = () => ({
  users: new DataLoader(usersById),
  categories: new DataLoader(categoriesById),
  sections: new DataLoader(sectionsByCourse),
  lectures: new DataLoader(lecturesBySection),
});
