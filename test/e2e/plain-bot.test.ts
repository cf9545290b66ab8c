import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createBot, waitForEvent } from '../simulator/client.js';
import { useStage } from './setup.js';

const stage = useStage();
/** Local Storage reaches the disk up to a minute after it was written (docs/chromium-facts.md F1.5). */
const ON_THE_DISK_MS = 70_000;

it('uses the login that a bot without this library has paired in the same folder meanwhile', async () => {
  const before = stage.bot();
  await before.logIn(stage.simulator);
  await before.settledSave();
  await before.session.destroy();
  const dataPath = join(stage.folder, 'auth');
  await rm(join(dataPath, 'session-bot'), { recursive: true, force: true });
  const plain = createBot({ simulator: stage.simulator, auth: 'local', dataPath, clientId: 'bot' });
  const qr = waitForEvent(plain, 'qr', 45_000);
  await plain.initialize();
  await qr;
  const ready = waitForEvent(plain, 'ready', 45_000);
  await stage.simulator.scan({ account: '4915100000002' });
  await ready;
  await new Promise((resolve) => setTimeout(resolve, ON_THE_DISK_MS));
  await plain.destroy();
  const after = stage.bot();
  await after.session.initialize();
  expect(after.session.state).toBe('ready');
  expect(after.client.info?.wid?._serialized).toContain('4915100000002');
  expect(after.payloads('restore:completed')).toEqual([]);
  expect(after.payloads('warning').map(({ code }) => code)).toContain('profile-replaced');
}, 240_000);
