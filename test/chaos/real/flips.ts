import type { Damage } from './damages.js';
import { DATABASE_NAMES, DatabaseOnDisk, type FileKind } from './database.js';

const KINDS: readonly FileKind[] = ['table', 'log', 'MANIFEST', 'CURRENT'];

/** Makes `rounds` damages that flip one random bit of a file, with kinds and databases in turn. */
export function randomFlips(rounds: number): Damage[] {
  return Array.from({ length: rounds }, (_, round) => {
    const database = DATABASE_NAMES[round % DATABASE_NAMES.length] ?? 'IndexedDB';
    const kind = KINDS[Math.floor(round / DATABASE_NAMES.length) % KINDS.length] ?? 'table';
    return flipOf(`flip ${round + 1}: ${database} ${kind}`, database, kind);
  });
}

function flipOf(name: string, database: (typeof DATABASE_NAMES)[number], kind: FileKind): Damage {
  return {
    name,
    apply: async ({ profileDir, dice }) => {
      const db = new DatabaseOnDisk(profileDir, database);
      const file = dice.pick(await db.names(kind));
      let where = '';
      await db.change(file, (bytes) => {
        const at = dice.below(bytes.length);
        const bit = dice.below(8);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
        where = `byte ${at} bit ${bit}`;
      });
      return `${database}/${file} ${where}`;
    },
  };
}
