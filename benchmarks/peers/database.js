// One pool, with as many connections as the service has. Dates stay strings, because cursors need their microseconds.
import mysql from "mysql2/promise";

const pool = mysql.createPool({
  host: process.env.DB_HOST,
  port: Number(process.env.DB_PORT),
  user: process.env.DB_USER,
  database: process.env.DB_NAME,
  connectionLimit: 5,
  dateStrings: true,
});

/** Return the rows of a statement whose text is always the same. It is prepared once on each connection. */
export async function preparedRows(sql, values) {
  const [rows] = await pool.execute(sql, values);
  return rows;
}

/** Return the rows of a statement by keys. It is not prepared: each number of keys would need its own. */
export async function rowsByKeys(sql, keys) {
  const [rows] = await pool.query(sql, [keys]);
  return rows;
}
