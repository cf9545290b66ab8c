import { isSnapshotId } from '../snapshot/manifest/snapshot-id.js';
import type { Fields } from './body.js';
import type { ActionName, ActionRequest } from './contract.js';
import { HttpError } from './errors.js';

const MAX_MESSAGE = 4096;
const MAX_PHONE_NUMBER = 40;

/** The fields that each action accepts in addition to `action`. */
const FIELDS: Readonly<Record<ActionName, readonly string[]>> = {
  initialize: [],
  clear: ['logout', 'confirm'],
  'health-check': [],
  'send-test-message': ['phoneNumber', 'message'],
  backup: [],
  'force-save': [],
  restore: ['snapshotId', 'confirm'],
  verify: ['snapshotId'],
  reconnect: [],
  prune: [],
  destroy: [],
};

/**
 * Makes an action request from the fields of a body. Checks every field, and refuses unknown ones.
 *
 * @throws HttpError 400
 */
export function parseAction(fields: Fields): ActionRequest {
  const action = actionOf(fields.get('action'));
  for (const name of fields.keys()) {
    if (name !== 'action' && !FIELDS[action].includes(name)) {
      throw invalid(
        `${action} takes ${FIELDS[action].join(' and ') || 'no further field'}; another was sent`,
      );
    }
  }
  switch (action) {
    case 'send-test-message':
      return { action, phoneNumber: phoneNumber(fields), message: message(fields) };
    case 'clear':
      return { action, ...flag(fields, 'logout'), ...flag(fields, 'confirm') };
    case 'restore':
      return { action, ...snapshotId(fields), ...flag(fields, 'confirm') };
    case 'verify':
      return { action, ...snapshotId(fields) };
    default:
      return { action };
  }
}

function actionOf(value: unknown): ActionName {
  if (typeof value === 'string' && Object.hasOwn(FIELDS, value)) return value as ActionName;
  throw new HttpError(400, 'UNKNOWN_ACTION', `action must be one of ${Object.keys(FIELDS).join(', ')}`);
}

/** Applies the rule of `sendTestMessage()`: E.164, 7 to 15 digits. */
function phoneNumber(fields: Fields): string {
  const value = fields.get('phoneNumber');
  if (typeof value === 'string' && value.length <= MAX_PHONE_NUMBER) {
    if (/^[1-9]\d{6,14}$/.test(value.replaceAll(/[\s()+.-]/g, ''))) return value;
  }
  throw invalid('phoneNumber must be an international number of 7 to 15 digits, for example "201234567890"');
}

function message(fields: Fields): string {
  const value = fields.get('message');
  if (typeof value === 'string' && value.trim() !== '' && value.length <= MAX_MESSAGE) return value;
  throw invalid(`message must be a text of 1 to ${MAX_MESSAGE} characters`);
}

function snapshotId(fields: Fields): { readonly snapshotId?: string } {
  const value = fields.get('snapshotId');
  if (value === undefined) return {};
  if (typeof value === 'string' && isSnapshotId(value)) return { snapshotId: value };
  throw invalid('snapshotId must be an id of a snapshot, for example "20261123T051409123Z-1a2b3c4d"');
}

function flag<Name extends string>(fields: Fields, name: Name): { readonly [Key in Name]?: boolean } {
  const value = fields.get(name);
  if (value === undefined) return {};
  if (typeof value === 'boolean') return { [name]: value } as { readonly [Key in Name]?: boolean };
  throw invalid(`${name} must be true or false`);
}

function invalid(message: string): HttpError {
  return new HttpError(400, 'INVALID_REQUEST', message);
}
