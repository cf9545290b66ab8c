/** A warning of the process, which node prints unless it is told otherwise: for who has given no logger. */
export function emitProcessWarning(message: string): void {
  process.emitWarning(message, 'PersistentSessionWarning');
}
