import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { checkResiliency, parseResiliency } from '@holdfast/config';
import { parseRunFile } from '../../packages/cli/src/run-file/parse-run-file.ts';
import { loadResources } from '../../packages/sidecar/src/resources/load-resources.ts';
import { text, trackedFiles } from './tree.ts';

const blocks = trackedFiles()
  .filter((file) => file.endsWith('.md'))
  .flatMap((page) =>
    [...text(page).matchAll(/^```ya?ml\n([\s\S]*?)^```/gm)].map(([block, body], index) => ({
      at: `${page}, block ${index + 1}`,
      body: body!,
      kind: /^kind: (\w+)$/m.exec(block)?.[1],
    })),
  );

test('every YAML block of a page is read without a word against it', async (t) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'holdfast-yaml-'));
  t.after(() => rm(folder, { recursive: true }));

  const faults = await Promise.all(
    blocks.map(async ({ at, body, kind }, index) => {
      const file = path.join(folder, `${index}.yaml`);
      const said =
        kind === 'Resiliency'
          ? policyFaults(body)
          : /^(?:version: 1|apps:)$/m.test(body)
            ? runFileFaults(body, file)
            : await resourceFaults(file, body, kind);
      return said.map((one) => `${at}: ${one}`);
    }),
  );

  assert.ok(blocks.length > 10);
  assert.deepEqual(faults.flat(), []);
});

function policyFaults(body: string): readonly string[] {
  const { documents, problems } = parseResiliency(body, 'page.yaml');
  return [...problems, ...checkResiliency(documents)].map(
    ({ rule, message }) => `${rule}: ${message}`,
  );
}

function runFileFaults(body: string, file: string): readonly string[] {
  try {
    parseRunFile(body, file);
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}

/** A block that is a `spec` alone is a Configuration's. */
async function resourceFaults(file: string, body: string, kind: string | undefined) {
  const whole =
    kind === undefined ? `kind: Configuration\nmetadata: { name: page }\n${body}` : body;
  await writeFile(file, whole);
  const isConfiguration = kind === undefined || kind === 'Configuration';
  const { configuration, components, problems, unknown } = await loadResources(
    {
      appId: 'page',
      resourcesPaths: isConfiguration ? [] : [file],
      configPaths: isConfiguration ? [file] : [],
    },
    {},
  );
  const nothing = !isConfiguration && components.length === 0 ? ['it is no component'] : [];
  return [...problems, ...unknown, ...configuration.ignored, ...nothing];
}
