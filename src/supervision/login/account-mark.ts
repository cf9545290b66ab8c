import crypto from 'node:crypto';

/** `scrypt$<salt>$<hash>`, both in hex. */
const MARK = /^scrypt\$([0-9a-f]{32})\$([0-9a-f]{64})$/;
/** Format of manifests and records that are older than marks: a plain SHA-256, in hex. */
const PLAIN = /^[0-9a-f]{64}$/;
/** One attempt costs about 40 ms and 16 MB. Trying all ten-digit phone numbers would take one core twelve years. */
const COST = { N: 2 ** 14, r: 8, p: 1 };
const HASH_BYTES = 32;
/** Limit for cached answers in this process; one account is checked at every `ready`. */
const MAX_KNOWN = 1000;

const known = new Map<string, boolean>();

/**
 * Makes a mark that tells whether a later login has the same account, without revealing the account. A plain hash of
 * a phone number could be found by trying all numbers. Every mark has its own salt, and the work is done off the
 * event loop.
 *
 * @param id the account's id, for example `4915100000001@c.us`
 */
export async function markAccount(id: string): Promise<string> {
  const before = [...known].find(([key, isSame]) => isSame && key.endsWith(`\n${id}`));
  if (before !== undefined) return before[0].slice(0, -id.length - 1);
  const salt = crypto.randomBytes(16);
  const mark = `scrypt$${salt.toString('hex')}$${(await hash(id, salt)).toString('hex')}`;
  remember(mark, id, true);
  return mark;
}

/** Whether `mark` was made from this account; `false` for an invalid mark. */
export async function isMarkOf(mark: string, id: string): Promise<boolean> {
  if (PLAIN.test(mark)) return mark === crypto.createHash('sha256').update(id).digest('hex');
  const [, salt, expected] = MARK.exec(mark) ?? [];
  if (salt === undefined || expected === undefined) return false;
  const answer = known.get(`${mark}\n${id}`);
  if (answer !== undefined) return answer;
  const isSame = crypto.timingSafeEqual(
    await hash(id, Buffer.from(salt, 'hex')),
    Buffer.from(expected, 'hex'),
  );
  remember(mark, id, isSame);
  return isSame;
}

/** Whether the mark is salted, so that nobody can find the account by trying all numbers. */
export function isSalted(mark: string | undefined): boolean {
  return mark !== undefined && MARK.test(mark);
}

function hash(id: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    crypto.scrypt(id, salt, HASH_BYTES, COST, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

function remember(mark: string, id: string, isSame: boolean): void {
  const [oldest] = known.keys();
  if (known.size >= MAX_KNOWN && oldest !== undefined) known.delete(oldest);
  known.set(`${mark}\n${id}`, isSame);
}
