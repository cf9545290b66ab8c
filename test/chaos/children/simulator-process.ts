/**
 * Runs the simulator in its own process, so that its memory does not count as memory of the bot. Receives calls over
 * the process's IPC channel, answers each, and ends when the channel closes.
 */
import { startSimulator } from '../../simulator/server.js';
import type { SimulatorAnswer, SimulatorCall } from '../soaking/simulator.js';

const simulator = await startSimulator();

function answer(message: SimulatorAnswer): void {
  process.send?.(message);
}

process.on('message', (call: SimulatorCall) => {
  const method = simulator[call.method] as (...args: readonly unknown[]) => unknown;
  Promise.resolve(Reflect.apply(method, simulator, call.args)).then(
    () => answer({ id: call.id }),
    (error: unknown) => answer({ id: call.id, error: String(error) }),
  );
});
process.on('disconnect', () => process.exit());
answer({ id: 0, port: simulator.port });
