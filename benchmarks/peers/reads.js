// Statements and data loaders. The statements have the same tables, columns and conditions as those of the service.
import DataLoader from "dataloader";

import { preparedRows, rowsByKeys } from "./database.js";

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

const HAS_PUBLISHED = "EXISTS (SELECT * FROM courses WHERE instructor_id = users.id AND published_at IS NOT NULL)";

export async function courseBySlug(slug) {
  const rows = await preparedRows(`${COURSE} WHERE status = 'published' AND slug = ?`, [slug]);
  return rows[0] ?? null;
}

export function newestCourses(limit) {
  const newest = "ORDER BY created_at DESC, id DESC LIMIT ?";
  return preparedRows(`${COURSE} WHERE status = 'published' ${newest}`, [String(limit)]);
}

async function usersByKey(keys) {
  return inOrder(keys, await rowsByKeys(`${USER} WHERE id IN (?) AND ${HAS_PUBLISHED}`, keys));
}

async function categoriesByKey(keys) {
  return inOrder(keys, await rowsByKeys(`${CATEGORY} WHERE id IN (?)`, keys));
}

async function sectionsByCourse(keys) {
  const clause = "WHERE deleted_at IS NULL AND course_id IN (?) ORDER BY course_id, order_index, id";
  return grouped(keys, "courseKey", await rowsByKeys(`${SECTION} ${clause}`, keys));
}

async function lecturesBySection(keys) {
  const clause = "WHERE deleted_at IS NULL AND section_id IN (?) ORDER BY section_id, order_index, id";
  return grouped(keys, "sectionKey", await rowsByKeys(`${LECTURE} ${clause}`, keys));
}

function inOrder(keys, rows) {
  const byKey = new Map(rows.map((row) => [row.id, row]));
  return keys.map((key) => byKey.get(key) ?? null);
}

function grouped(keys, column, rows) {
  const groups = new Map(keys.map((key) => [key, []]));
  for (const row of rows) groups.get(row[column]).push(row);
  return keys.map((key) => groups.get(key));
}

/** Return the loaders of one request, which cache what they have read. */
export const makeContext = () => ({
  users: new DataLoader(usersByKey),
  categories: new DataLoader(categoriesByKey),
  sections: new DataLoader(sectionsByCourse),
  lectures: new DataLoader(lecturesBySection),
});
