import { SnapshotCorruptError } from '../../errors.js';

/** The fields of a manifest, none of which is believed yet. */
export type Fields = Readonly<Record<string, unknown>>;

/** Lower-case hex. */
export const SHA256 = /^[0-9a-f]{64}$/;

export function text(fields: Fields, name: string, where?: string): string {
  const value = fields[name];
  return typeof value === 'string' ? value : refuse(label(name, where), 'it must be text');
}

export function matching(fields: Fields, name: string, pattern: RegExp, where?: string): string {
  const value = text(fields, name, where);
  return pattern.test(value) ? value : refuse(label(name, where), `it must match ${pattern.source}`);
}

export function count(fields: Fields, name: string, max: number, where?: string): number {
  const value = fields[name];
  const valid = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= max;
  return valid && !Object.is(value, -0)
    ? value
    : refuse(label(name, where), `it must be an integer from 0 to ${max}`);
}

function label(name: string, where: string | undefined): string {
  return where === undefined ? name : `${where}.${name}`;
}

/** @throws SnapshotCorruptError that names the field */
export function refuse(field: string, why: string): never {
  throw new SnapshotCorruptError(`the manifest's field ${field} is wrong: ${why}`);
}
