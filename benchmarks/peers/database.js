// One pool of connections, as many as the service has. Instants stay text, because cursors need their microseconds.
import mysql from "mysql2/promise";

const pool = mysql.createPool({
  host: process.env.DB_HOST,
  port: Number(process.env.DB_PORT),
  user: process.env.DB_USER,
  database: process.env.DB_NAME,
  connectionLimit: 5,
  timezone: "Z",
  dateStrings: true,
});

/** The rows of a prepared statement; a list stands for as many marks as `marks` made for it. */
export async function rows(sql, values) {
  const [found] = await (process.argv[2] === 'x' ? pool.execute(sql, values) : process.argv[2] === 'a' ? pool.query({sql, values, enableKeepAlive:true}) : pool.query(sql, values));
  return found;
}

export const marks = (values) => `(${"?,".repeat(values.length).slice(0, -1)})`;
