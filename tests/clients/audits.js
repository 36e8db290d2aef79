// The audits of the GraphQL-over-HTTP specification, by npm's graphql-http, against a running server:
//   node audits.js http://127.0.0.1:8000/graphql [--json]
// Prints a line for each audit and one for all; with --json an object. Exit code 0: every audit is ok; 1: some are not,
// whether a MUST ("error"), a SHOULD ("warn") or a MAY ("notice"); 2: no service answered.
import { auditServer } from 'graphql-http';

const options = process.argv.slice(2);
const url = options.find((option) => !option.startsWith('--'));
if (!URL.canParse(url)) {
  console.error('usage: node audits.js URL [--json]');
  process.exit(2);
}

let results;
try {
  results = await auditServer({ url });
} catch (error) {
  // No audit failed: the service did not answer. The reason is in the cause.
  console.error(`${url}: ${error.cause?.message ?? error.message}`);
  process.exit(2);
}

const audits = [];
for (const { id, name, status, reason, response } of results) {
  // The response explains a failure. Some audits have read the body already.
  const body = response && !response.bodyUsed ? (await response.text()).slice(0, 500) : undefined;
  audits.push({ id, name, status, reason, answer: response && { status: response.status, body } });
}
const failed = audits.filter(({ status }) => status !== 'ok');

if (options.includes('--json')) {
  console.log(JSON.stringify({ total: audits.length, ok: audits.length - failed.length, audits }, null, 2));
} else {
  for (const { id, name, status, reason, answer } of audits) {
    const why = reason ? `: ${reason}, but ${answer.status} ${answer.body ?? ''}` : '';
    console.log(`${status.padEnd(6)} ${id} ${name}${why}`);
  }
  console.log(`${audits.length - failed.length} of ${audits.length} audits are ok`);
}
process.exitCode = failed.length ? 1 : 0;
