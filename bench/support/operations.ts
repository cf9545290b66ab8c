/** What is measured, by the name it has in the table. */
export const OPERATIONS = [
  'first force-save',
  'force-save, nothing changed',
  'force-save after 1 MB',
  'backup, cold',
  'backup, small',
  'backup after 1 MB',
  'backup, nothing changed',
  'restore from a save',
  'restore from a zip',
  'initialize, sound profile',
  'initialize, no profile',
] as const;

export type Operation = (typeof OPERATIONS)[number];

/** Who does it. */
export const SIDES = ['remoteAuth', 'ours'] as const;

export type Side = (typeof SIDES)[number];

/** Operations that find what an earlier process of the bot has stored, and leave a profile in place. */
export function isAfterRestart(operation: Operation): boolean {
  return operation.startsWith('restore') || operation.startsWith('initialize');
}
