// One pool, with as many connections as the service has. Instants stay text: cursors need their microseconds.
import mysql from "mysql2/promise";

const pool = mysql.createPool({
  host: process.env.DB_HOST,
  port: Number(process.env.DB_PORT),
  user: process.env.DB_USER,
  database: process.env.DB_NAME,
  connectionLimit: 5,
  dateStrings: true,
});

/** The rows of a statement that is always the same text: prepared once on each connection. */
export async function prepared(sql, values) {
  const [rows] = await pool.execute(sql, values);
  return rows;
}

/** The rows of a statement that goes by keys: written out, or each number of keys would be prepared for itself. */
export async function byKeys(sql, keys) {
  const [rows] = await pool.query(sql, [keys]);
  return rows;
}
