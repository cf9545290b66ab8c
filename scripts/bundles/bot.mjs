// The bot that scripts/check-bundles.ts bundles: pairs, saves, backs up, loses its profile and gets it back.
// Usage: node <bundle> <folder for its files>. Prints one line of JSON.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PersistentSession } from 'wwebjs-persistent-session';
import { createSessionHandler } from 'wwebjs-persistent-session/http';
import { FakeClient, FakeWhatsApp } from 'wwebjs-persistent-session/testing';

const folder = process.argv[2];
let threads = 0;
process.on('worker', () => {
  threads += 1;
});
const warnings = [];
const logger = {
  debug() {},
  info() {},
  warn: (line) => warnings.push(line),
  error: (line) => warnings.push(line),
};

function start(whatsApp) {
  const client = new FakeClient({
    whatsApp,
    localAuth: { dataPath: join(folder, 'auth'), clientId: 'shop' },
  });
  const session = new PersistentSession(client, {
    sessionPath: join(folder, 'session'),
    backupPath: join(folder, 'backup'),
    logger,
  });
  return { client, session };
}

function assert(condition, what) {
  if (!condition) throw new Error(`expected: ${what}`);
}

async function main() {
  const whatsApp = new FakeWhatsApp();
  const first = start(whatsApp);
  await first.session.initialize();
  const handler = createSessionHandler(first.session, { auth: 'none' });
  const qr = await handler(new Request('http://localhost/api/whatsapp/persistent-session/qr.svg'));
  assert((await qr.text()).startsWith('<svg'), 'the QR is drawn');
  handler.close();
  const ready = new Promise((resolve) => first.client.once('ready', resolve));
  await first.client.scan();
  await ready;
  const save = await first.session.forceSave();
  const backup = await first.session.backup();
  assert('snapshot' in save || save.skipped === 'unchanged', 'it saves');
  assert('snapshot' in backup, 'it backs up');
  await first.session.restore(backup.snapshot.id);
  assert(first.session.state === 'ready', 'the zip is restored');
  await first.session.destroy();

  await rm(join(folder, 'auth'), { recursive: true });
  await rm(join(folder, 'session'), { recursive: true });
  const second = start(whatsApp);
  let codes = 0;
  second.client.on('qr', () => {
    codes += 1;
  });
  await second.session.initialize();
  assert(second.session.state === 'ready' && codes === 0, 'a new start without a profile needs no QR');
  await second.session.destroy();
  // Of the machine it says other things, too.
  console.log(JSON.stringify({ threads, warnings: warnings.filter((line) => line.includes('worker')) }));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
