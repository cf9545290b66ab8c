import type { Finding, SoundnessReport } from '../types.js';

/** The findings that are announced for a profile that is not sound: never an empty list, which would explain nothing. */
export function findingsOf({ verdict, findings }: SoundnessReport): readonly Finding[] {
  if (findings.length > 0) return findings;
  const problem =
    verdict === 'foreign'
      ? 'it holds other sites, but no login of WhatsApp Web'
      : 'there is no login of WhatsApp Web in it';
  return [{ file: 'Default', problem }];
}
