import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem } from 'node:os';

/** The machine, the Node, the commit and `how` it is measured; a word of warning where others are at work. */
export function printMachine(how: string): void {
  const [cpu] = cpus();
  const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8' }).trim();
  const commit = git('rev-parse', '--short', 'HEAD');
  const changed = git('status', '--porcelain') === '' ? '' : ' with changes';
  console.log(
    `${cpus().length} × ${cpu?.model.trim()}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Linux ${release()}; node ${process.version}; commit ${commit}${changed}; ${how}`,
  );
  const [load = 0] = loadavg();
  if (load < cpus().length / 2) return;
  console.log(
    `busy: ${load.toFixed(1)} others want to run. Compare CPU per request; req/s ratios come out too low, for daprd's many threads get a larger share than our two.`,
  );
}
