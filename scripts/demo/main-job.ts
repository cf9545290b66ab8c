/**
 * Shows the main job: a real whatsapp-web.js Client in real Chromium, against the local simulator of WhatsApp Web,
 * keeps its login through a crash, a damaged profile and an empty disk. Exits 0 only if every step succeeded.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killBrowser } from '../../test/simulator/client.js';
import { startSimulator } from '../../test/simulator/server.js';
import { PersistentBot } from '../../test/support/persistent-bot.js';
import { ensureChromium } from '../chromium.js';
import { Steps } from './steps.js';

/** Ten times the usual time, because 90 s were too short on a busy machine. */
const DEADLINE_MS = 180_000;
const FRIEND = '4915100000002';

// `as string` hides the name from the compiler, because the package's types do not exist before the build.
const library: typeof import('../../src/index.js') = await import('wwebjs-persistent-session' as string);
const steps = new Steps();
const watchdog = setTimeout(() => {
  steps.fail(new Error(`the demo took longer than ${DEADLINE_MS / 1000} s`));
  steps.printTable();
  process.exit(1);
}, DEADLINE_MS);

const folder = await mkdtemp(join(tmpdir(), 'wwebjs-demo-'));
console.log(`Chromium: ${ensureChromium()}\n`);
const simulator = await startSimulator();
let bot = newBot();

try {
  await steps.run('log in by scanning the QR', async () => {
    const ready = bot.next('ready');
    await bot.session.initialize();
    steps.expect(bot.qrCodes.length === 1, `one QR was shown (${bot.qrCodes.length})`);
    await simulator.scan();
    await ready;
    return 'a QR, a scan, ready';
  });

  await steps.run('traffic: messages come in', async () => {
    await simulator.startTraffic({ bytesPerSecond: 500_000 });
    await simulator.sendIncoming({ from: FRIEND, body: 'hello bot' });
    const settled = await bot.settledSave();
    await simulator.stopTraffic();
    return `first settled save by itself: ${megabytes(settled.sizeBytes)}`;
  });

  await steps.run('backup: an ordinary zip', async () => {
    const result = await bot.session.backup();
    const known = (await bot.session.listSnapshots()).filter(({ kind }) => kind === 'backup');
    steps.expect(known.length > 0, 'a verified backup is listed');
    const how = 'skipped' in result ? `taken before already (${result.skipped})` : result.snapshot.id;
    return `${known.length} listed, ${megabytes(known[0]?.storedBytes ?? 0)}; ${how}`;
  });

  await steps.run('force-save', async () => {
    await simulator.sendIncoming({ from: FRIEND, body: 'remember this one' });
    const result = await bot.session.forceSave();
    steps.expect('snapshot' in result, `a save was taken (${JSON.stringify(result)})`);
    return 'snapshot' in result ? `${result.snapshot.files} files, verified` : '';
  });

  const qrBefore = bot.qrCodes.length;
  const before = await bot.session.checkHealth();
  await steps.run('kill Chromium (SIGKILL) and damage the profile', async () => {
    const restored = bot.once('restore:completed');
    const ready = bot.next('ready');
    await killBrowser(bot.client);
    await rm(await manifestOf(bot.profileDir));
    const during = await bot.session.checkHealth();
    const { snapshot } = await restored;
    await ready;
    const after = await bot.session.checkHealth();
    steps.expect(during.score < before.score, `the score falls (${before.score} to ${during.score})`);
    steps.expect(after.score > during.score, `the score rises (${during.score} to ${after.score})`);
    steps.expect(snapshot.kind === 'save', `restored from the save (${snapshot.kind})`);
    steps.expect(bot.qrCodes.length === qrBefore, 'no QR');
    return `MANIFEST deleted; restored from the ${snapshot.kind}, no QR; health ${before.score} → ${during.score} → ${after.score}`;
  });

  await steps.run('delete the profile and the saves (a redeploy without a volume)', async () => {
    await bot.session.destroy();
    await rm(bot.authPath, { recursive: true });
    await rm(bot.sessionPath, { recursive: true });
    bot = newBot();
    const restored = bot.once('restore:completed');
    const ready = bot.next('ready');
    await bot.session.initialize();
    await ready;
    const { snapshot } = await restored;
    steps.expect(snapshot.kind === 'backup', `restored from the zip (${snapshot.kind})`);
    steps.expect(bot.qrCodes.length === 0, 'no QR');
    return `restored from the zip, ready, no QR`;
  });

  await steps.run('send a message', async () => {
    const text = `still here ${Date.now()}`;
    await bot.session.sendTestMessage(FRIEND, text);
    const sent = await simulator.waitForSent(({ body }) => body === text);
    return `arrived at ${sent.to}`;
  });

  await steps.run('log out on the phone', async () => {
    const revoked = bot.once('session:revoked');
    const qr = bot.next('qr');
    await simulator.logoutFromPhone();
    const { cause } = await revoked;
    await qr;
    return `revoked by the ${cause}; a new QR is shown`;
  });

  await steps.run('start again: the dead session stays dead', async () => {
    await bot.session.destroy();
    bot = newBot();
    await bot.session.initialize();
    steps.expect(bot.session.state === 'awaiting_qr', `a QR is shown (${bot.session.state})`);
    steps.expect(bot.payloads('restore:started').length === 0, 'nothing was restored');
    const snapshots = await bot.session.listSnapshots();
    steps.expect(snapshots.length > 0 && snapshots.every(({ revoked }) => revoked), 'all marked as revoked');
    return `a QR; ${snapshots.length} snapshots kept, all marked as revoked`;
  });
} catch (error) {
  steps.fail(error);
} finally {
  await bot.session.destroy().catch(() => undefined);
  await simulator.close();
  await rm(folder, { recursive: true, force: true });
  clearTimeout(watchdog);
}
steps.printTable();
process.exitCode = steps.failed ? 1 : 0;

/** A new bot with the built package, as a user's bot has it. Each bot represents a new process. */
function newBot(): PersistentBot {
  const made = new PersistentBot({ simulator, folder, Session: library.PersistentSession });
  made.session.on('state:changed', ({ to, cause }) => console.log(`    ${to}${cause ? ` (${cause})` : ''}`));
  made.session.on('save:completed', ({ snapshot }) =>
    console.log(`    saved ${snapshot.id}${snapshot.settled ? '' : ' (Local Storage not on the disk yet)'}`),
  );
  made.session.on('health:checked', ({ report }) =>
    console.log(
      `    health ${report.score}/100 ${report.status}: ${report.issues.map(({ code }) => code).join(', ')}`,
    ),
  );
  made.session.on('warning', ({ code, message }) => console.log(`    warning ${code}: ${message}`));
  return made;
}

async function manifestOf(profileDir: string): Promise<string> {
  const database = join(profileDir, 'Default', 'IndexedDB', 'https_web.whatsapp.com_0.indexeddb.leveldb');
  const manifest = (await readdir(database)).find((name) => name.startsWith('MANIFEST-'));
  if (manifest === undefined) throw new Error('the profile has no IndexedDB manifest to delete');
  return join(database, manifest);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}
