import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Verdict } from '../follow-run.ts';
import type { ComponentSuite } from './build-components.ts';
import { type Component, nameOf } from './components.ts';
import { readCases } from './read-cases.ts';
import { type Places, writeSuiteFiles } from './suite-files.ts';

/** The suite waits up to a minute for what does not come, and does so five times for a pub/sub. */
const LONGEST = '10m';

export interface ComponentRun {
  /** What the suite starts: a sidecar, by one file. */
  readonly sidecar: string;
  readonly places: Places;
  /** For what it prints, and the sidecar's log. */
  readonly logs: string;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Asks the suite of one component and says how each of its cases ended. */
export async function runComponent(
  suite: ComponentSuite,
  component: Component,
  { sidecar, places, logs, signal }: ComponentRun,
): Promise<ReadonlyMap<string, Verdict>> {
  const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-components-'));
  mkdirSync(logs, { recursive: true });
  try {
    writeSuiteFiles(folder, suite.config, component, { ...places, FOLDER: folder });
    const kind = component.kind.charAt(0).toUpperCase() + component.kind.slice(1);
    const env = {
      ...process.env,
      HOLDFAST_COMPONENTS: folder,
      HOLDFAST_LOGS: logs,
      HOLDFAST_SIDECAR: sidecar,
      STATE_KEY,
    };
    const args = ['-test.v', `-test.timeout=${LONGEST}`, `-test.run=^Test${kind}$`];
    const child = spawn(suite.executable, args, {
      cwd: suite.folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
    });
    const log = createWriteStream(path.join(logs, `${nameOf(component).replaceAll('/', '-')}.log`));
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.pipe(log, { end: false });
    child.stdout.on('data', (text: Buffer) => {
      output += text;
    });
    await new Promise((resolve) => child.once('close', resolve).once('error', resolve));
    log.end();
    return readCases(output);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Of encrypted stores: 32 bytes, in hexadecimal digits. */
const STATE_KEY = '0123456789abcdef'.repeat(4);
