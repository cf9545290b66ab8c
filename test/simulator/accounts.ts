import { randomBytes, randomUUID } from 'node:crypto';

/** One pairing, which WhatsApp calls a linked device. Its login is valid until it is revoked. */
export interface LinkedDevice {
  readonly deviceId: string;
  /** The account's id, such as `4915100000001@c.us`. */
  readonly account: string;
  readonly revoked: boolean;
  /** The highest ratchet that the page has sent; a lower one later means that its profile was rolled back. */
  readonly ratchet: number;
}

/** The login that the page must keep: one secret in IndexedDB, the other in Local Storage. */
export interface Credential {
  readonly deviceId: string;
  readonly account: string;
  readonly databaseSecret: string;
  readonly localStorageSecret: string;
}

/** What the page does when the server refuses its login: it shows a QR, or it says that it was logged out. */
export type Rejection = 'silent' | 'logout';

type StoredDevice = { -readonly [Key in keyof LinkedDevice]: LinkedDevice[Key] } & { credential: Credential };

/** The server's side of the logins. */
export class Accounts {
  readonly #devices = new Map<string, StoredDevice>();

  list(): LinkedDevice[] {
    return [...this.#devices.values()].map(({ credential: _, ...device }) => device);
  }

  pair(account: string): Credential {
    const credential = {
      deviceId: randomUUID(),
      account,
      databaseSecret: randomBytes(32).toString('hex'),
      localStorageSecret: randomBytes(32).toString('hex'),
    };
    const { deviceId } = credential;
    this.#devices.set(deviceId, { deviceId, account, revoked: false, ratchet: 0, credential });
    return credential;
  }

  /** The device of these secrets, or how the login is refused. */
  login(deviceId: string, databaseSecret: string, localStorageSecret: string): LinkedDevice | Rejection {
    const device = this.#devices.get(deviceId);
    if (device === undefined) return 'silent';
    if (device.credential.databaseSecret !== databaseSecret) return 'silent';
    if (device.credential.localStorageSecret !== localStorageSecret) return 'silent';
    return device.revoked ? 'logout' : device;
  }

  isValid(deviceId: string | undefined): boolean {
    return deviceId !== undefined && this.#devices.get(deviceId)?.revoked === false;
  }

  /** Records the ratchet; returns the former one if the new one is lower. */
  noteRatchet(deviceId: string, ratchet: number): number | undefined {
    const device = this.#devices.get(deviceId);
    if (device === undefined) return undefined;
    if (ratchet < device.ratchet) return device.ratchet;
    device.ratchet = ratchet;
    return undefined;
  }

  revokeDevice(deviceId: string): void {
    const device = this.#devices.get(deviceId);
    if (device !== undefined) device.revoked = true;
  }

  /** Revokes every present pairing of the account; returns their number. */
  revokeAccount(account: string): number {
    const devices = [...this.#devices.values()].filter(
      (device) => device.account === account && !device.revoked,
    );
    for (const device of devices) device.revoked = true;
    return devices.length;
  }
}

/** `4915100000001` and `4915100000001@c.us` are the same account. */
export function accountId(account: string): string {
  return account.includes('@') ? account : `${account}@c.us`;
}
