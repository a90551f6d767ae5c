// Lines of JSON to and from the test: settings first, then visits of the person, then the result.
import { createInterface } from "node:readline";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const heard = async () => JSON.parse((await lines.next()).value);
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

export const settings = await heard();

/** Where the person's browser was sent in the end. */
export async function visit(url) {
  say({ visit: String(url) });
  return new URL(await heard());
}

export function done(result) {
  say({ done: result });
}
