/** The measured operations, by their names in the table. */
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

/** The compared implementations. */
export const SIDES = ['remoteAuth', 'ours'] as const;

export type Side = (typeof SIDES)[number];

/** Whether an operation needs data that an earlier process of the bot stored, and leaves a profile in place. */
export function isAfterRestart(operation: Operation): boolean {
  return operation.startsWith('restore') || operation.startsWith('initialize');
}
