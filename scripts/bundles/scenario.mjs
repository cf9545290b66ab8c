import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PersistentSession } from 'wwebjs-persistent-session';
import { createSessionHandler } from 'wwebjs-persistent-session/http';
import { FakeClient, FakeWhatsApp } from 'wwebjs-persistent-session/testing';

/**
 * Runs a bot with a client that has no browser: it pairs, saves, makes a backup, loses its profile and gets it back.
 *
 * @param {string} folder for its files
 * @returns the number of worker threads that were started, and the library's warnings about its worker
 */
export async function runBot(folder) {
  let threads = 0;
  process.on('worker', () => {
    threads += 1;
  });
  const warnings = [];
  const warn = (line) => warnings.push(line);
  const logger = { debug() {}, info() {}, warn, error: warn };
  const whatsApp = new FakeWhatsApp();
  await pairSaveAndRestore(start(folder, whatsApp, logger));
  await rm(join(folder, 'auth'), { recursive: true });
  await rm(join(folder, 'session'), { recursive: true });
  await startWithoutProfile(start(folder, whatsApp, logger));
  // Other warnings are about the machine.
  return { threads, warnings: warnings.filter((line) => line.includes('worker')) };
}

function start(folder, whatsApp, logger) {
  const client = new FakeClient({
    whatsApp,
    localAuth: { dataPath: join(folder, 'auth'), clientId: 'shop' },
  });
  const session = new PersistentSession(client, {
    sessionPath: join(folder, 'session'),
    backupPath: join(folder, 'backup'),
    shutdownSignals: [],
    logger,
  });
  return { client, session };
}

async function pairSaveAndRestore({ client, session }) {
  await session.initialize();
  const handler = createSessionHandler(session, { auth: 'none' });
  const qr = await handler(new Request('http://localhost/api/whatsapp/persistent-session/qr.svg'));
  assert((await qr.text()).startsWith('<svg'), 'the QR is drawn');
  handler.close();
  const ready = new Promise((resolve) => client.once('ready', resolve));
  await client.scan();
  await ready;
  const save = await session.forceSave();
  assert('snapshot' in save || save.skipped === 'unchanged', 'it saves');
  const backup = await session.backup();
  assert('snapshot' in backup, 'it backs up');
  await session.restore(backup.snapshot.id);
  assert(session.state === 'ready', 'the zip is restored');
  await session.destroy();
}

async function startWithoutProfile({ client, session }) {
  let codes = 0;
  client.on('qr', () => {
    codes += 1;
  });
  await session.initialize();
  assert(session.state === 'ready' && codes === 0, 'a new start without a profile needs no QR');
  await session.destroy();
}

function assert(condition, what) {
  if (!condition) throw new Error(`expected: ${what}`);
}
