import type { Account } from './accounting.ts';

const IDS_SHOWN = 10;

/** The account as lines for a person: the equation first, then what does not fit. */
export function accountLines(account: Account): readonly string[] {
  const sum = account.delivered + account.queued + account.dead;
  const equals = sum === account.accepted ? '=' : '≠';
  const lines = [
    `accepted ${account.accepted} ${equals} delivered ${account.delivered} + queued ${account.queued} + dead-lettered ${account.dead}`,
    `lost ${orNone(account.lost.length)} · unexpected ${orNone(account.unexpected.length)} · duplicates ${account.duplicates} · redelivered ${account.redelivered}`,
    `refused ${account.refused} · without a clear answer ${account.unknown}, of which arrived all the same ${account.recovered}`,
  ];
  if (account.lost.length > 0) lines.push(`lost: ${someOf(account.lost)}`);
  if (account.unexpected.length > 0) lines.push(`unexpected: ${someOf(account.unexpected)}`);
  lines.push(account.balances ? '✅ The books balance.' : '❌ The books do not balance.');
  return lines;
}

const orNone = (count: number): string => (count === 0 ? 'none' : `${count}`);

function someOf(ids: readonly string[]): string {
  const rest = ids.length - IDS_SHOWN;
  return `${ids.slice(0, IDS_SHOWN).join(', ')}${rest > 0 ? `, and ${rest} more` : ''}`;
}
