// Starts and stops a session while every system call below its backupPath waits in its thread; see hung-calls.c.
import { rmSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { PersistentSession } from '../../../src/index.js';
import { FakeClient } from '../../../src/testing/fake-client.js';
import { FakeWhatsApp } from '../../../src/testing/fake-whatsapp.js';

const [base = '', flag = ''] = process.argv.slice(2);
const whatsApp = new FakeWhatsApp();
const alive = setInterval(() => undefined, 1000);

function make() {
  const client = new FakeClient({ whatsApp, localAuth: { dataPath: `${base}/auth`, clientId: 'shop' } });
  const session = new PersistentSession(client, {
    sessionPath: `${base}/session`,
    backupPath: `${base}/backup`,
    healthCheckIntervalMs: 1000,
    backupIntervalMs: 5000,
  });
  return { client, session };
}

async function told(what: string, work: Promise<unknown>): Promise<void> {
  const from = Date.now();
  await work;
  console.log(`${what} after ${Date.now() - from} ms`);
}

const first = make();
await first.session.initialize();
await first.client.scan();
while (first.session.state !== 'ready') await new Promise((resolve) => setTimeout(resolve, 20));
await first.session.destroy();

writeFileSync(flag, '');
const { session, client } = make();
await told('started', session.initialize());
await client.writeLogin({ ...(await client.readLogin()), note: 'changed' } as never);
await new Promise((resolve) => setTimeout(resolve, 15_000)); // a dozen health checks, and a backup that hangs
await told('a file was looked at', stat('/tmp'));
await told('stopped', session.destroy());
rmSync(flag);
clearInterval(alive);
