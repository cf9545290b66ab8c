/** Emits a process warning, which node prints by default: for bots that have set no logger. */
export function emitProcessWarning(message: string): void {
  process.emitWarning(message, 'PersistentSessionWarning');
}
