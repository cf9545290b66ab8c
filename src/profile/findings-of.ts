import type { Finding, SoundnessReport } from '../types.js';

/** What is announced of a profile that is not sound: never an empty list, of which nobody could make anything. */
export function findingsOf({ verdict, findings }: SoundnessReport): readonly Finding[] {
  if (findings.length > 0) return findings;
  const problem =
    verdict === 'foreign'
      ? 'it holds other sites, but no login of WhatsApp Web'
      : 'there is no login of WhatsApp Web in it';
  return [{ file: 'Default', problem }];
}
