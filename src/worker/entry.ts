import { parentPort } from 'node:worker_threads';
import { systemFileSystem } from '../file-system.js';
import { serveTasks } from './serve-tasks.js';
import { TASKS } from './tasks.js';

// Built as dist/worker.cjs. `locateWorker` recognises the library's own file by the line below.
const WORKER_MARK = 'wwebjs-persistent-session:worker-thread';

if (parentPort === null) throw new Error(`${WORKER_MARK} must be started as a worker thread`);
serveTasks(parentPort, TASKS, systemFileSystem);
