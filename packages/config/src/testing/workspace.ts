import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';

/** A directory of a test's own, gone when the test is. */
export interface Workspace {
  readonly directory: string;
  at(name: string): string;
  /** Puts a file there in one step, as a careful editor does: nobody sees it half written. */
  write(name: string, content: string | Uint8Array): Promise<string>;
}

export async function workspace(t: TestContext): Promise<Workspace> {
  const directory = await mkdtemp(path.join(tmpdir(), 'holdfast-config-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const at = (name: string) => path.join(directory, name);
  return {
    directory,
    at,
    async write(name, content) {
      await writeFile(at(`${name}.new`), content);
      await rename(at(`${name}.new`), at(name));
      return at(name);
    },
  };
}

/** A Resiliency with one default timeout. */
export function timeoutFile(name: string, limit: string, extra = ''): string {
  return `apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata:
  name: ${name}
${extra}spec:
  policies:
    timeouts:
      DefaultTimeoutPolicy: ${limit}
`;
}
