import { type SidecarSoak, soakSidecar } from './soak-sidecar.ts';
import { verdict } from './verdict.ts';

/** Each life of the application: killed every 20 s. */
const LIFE_MS = 20_000;

/** Runs for so many minutes, prints a line a minute, and whether all was well. */
export async function printSidecarSoak(minutes: number): Promise<boolean> {
  const kills = Math.round((minutes * 60_000) / LIFE_MS);
  const soak = await soakSidecar(kills, LIFE_MS, (now) => {
    if (now.recoveriesMs.length === 1) console.log(`capacity ${Math.round(now.capacity)} calls/s`);
    if (now.recoveriesMs.length % 3 === 0) console.log(line(now));
  });
  const { faults, grownMb } = verdict(soak);
  console.log(`${line(soak)}; grown by ${grownMb.toFixed(1)} MB since it was warm`);
  for (const fault of faults) console.log(`FAULT: ${fault}`);
  return faults.length === 0;
}

function line({ good, lost, openFiles, recoveriesMs, refused, residentMb }: SidecarSoak): string {
  const statuses = [...refused].map(([status, count]) => `${count} × ${status}`).join(', ');
  const slowest = Math.max(...recoveriesMs);
  return (
    `${recoveriesMs.length} kills: ${good} good, ${statuses || 'none refused'}, ${lost.length} lost; ` +
    `served again within ${Math.round(slowest)} ms; ` +
    `both ${Math.round(residentMb.at(-1) ?? 0)} MB, ${openFiles.at(-1)} files`
  );
}
