import type { TestContext } from 'node:test';
import { createLogger } from '@holdfast/telemetry/log';
import { staticNames } from '../names/static-names.ts';
import type { SidecarOptions } from '../options.ts';
import { type Sidecar, startSidecar } from '../start-sidecar.ts';

/** A sidecar `one` that knows of no other; ends with the test. */
export async function startAlone(
  t: TestContext,
  options: Partial<SidecarOptions>,
): Promise<{
  readonly sidecar: Sidecar;
  /** What it has logged so far. */
  readonly lines: string[];
  /** `http://…/v1.0` */
  readonly url: string;
}> {
  const lines: string[] = [];
  const sidecar = await startSidecar(
    { appId: 'one', httpPort: 0, metricsPort: 0, names: staticNames({}), ...options },
    { log: createLogger({ write: (line) => void lines.push(line) }) },
  );
  t.after(() => sidecar.stop({ force: true }));
  return { sidecar, lines, url: `http://127.0.0.1:${sidecar.ports.http}/v1.0` };
}
