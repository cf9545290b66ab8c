import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/**
 * Makes a self-signed certificate for the simulator. Uses node's own crypto, so that no `openssl` binary, no network
 * and no private key in the repository are needed.
 *
 * Chromium runs with `--ignore-certificate-errors`, so the certificate only has to be well formed.
 */
export function createCertificate(hostname = 'web.whatsapp.com'): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const body = certificateBody(hostname, publicKey);
  const signature = sign('sha256', body, privateKey);
  const certificate = sequence(body, ECDSA_WITH_SHA256, bitString(signature));
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: pem('CERTIFICATE', certificate),
  };
}

function certificateBody(hostname: string, publicKey: KeyObject): Buffer {
  const name = sequence(set(sequence(COMMON_NAME, der(0x0c, Buffer.from(hostname)))));
  const validity = sequence(utcTime('200101000000Z'), utcTime('491231235959Z'));
  const alternativeNames = sequence(
    SUBJECT_ALT_NAME,
    der(0x04, sequence(der(0x82, Buffer.from(hostname)), der(0x87, Buffer.from([127, 0, 0, 1])))),
  );
  return sequence(
    der(0xa0, der(0x02, Buffer.from([2]))), // X.509 v3
    der(0x02, Buffer.from([1])), // serial number
    ECDSA_WITH_SHA256,
    name, // issuer
    validity,
    name, // subject
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(alternativeNames)),
  );
}

const ECDSA_WITH_SHA256 = sequence(objectIdentifier('2a8648ce3d040302')); // 1.2.840.10045.4.3.2
const COMMON_NAME = objectIdentifier('550403'); // 2.5.4.3
const SUBJECT_ALT_NAME = objectIdentifier('551d11'); // 2.5.29.17

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  if (length < 0x100) return Buffer.concat([Buffer.from([tag, 0x81, length]), content]);
  return Buffer.concat([Buffer.from([tag, 0x82, length >> 8, length & 0xff]), content]);
}

function sequence(...items: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(items));
}

function set(...items: readonly Buffer[]): Buffer {
  return der(0x31, Buffer.concat(items));
}

function bitString(content: Buffer): Buffer {
  return der(0x03, Buffer.concat([Buffer.from([0]), content]));
}

function utcTime(time: string): Buffer {
  return der(0x17, Buffer.from(time));
}

function objectIdentifier(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}

function pem(label: string, content: Buffer): string {
  const lines = content.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
