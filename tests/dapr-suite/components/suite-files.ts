import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import type { Component } from './components.ts';

interface Listed {
  readonly component: string;
  readonly profile?: string;
  readonly operations?: readonly string[];
  readonly config?: Readonly<Record<string, unknown>>;
}

interface ComponentFile {
  readonly spec: {
    readonly type: string;
    readonly version?: string;
    readonly metadata?: readonly { readonly name: string; readonly value: unknown }[];
  };
}

/** What our Go files call the component, in its file and in their calls. */
const NAME = 'under-test';

/** Where keys are that no component file holds. */
const VARIABLES = {
  apiVersion: 'dapr.io/v1alpha1',
  kind: 'Component',
  metadata: { name: 'variables' },
  spec: { type: 'secretstores.local.env', version: 'v1' },
};

const POLICIES = {
  apiVersion: 'dapr.io/v1alpha1',
  kind: 'Resiliency',
  metadata: { name: 'policies' },
  spec: {
    policies: {
      timeouts: { long: '30s' },
      retries: { twice: { policy: 'constant', duration: '100ms', maxRetries: 2 } },
      circuitBreakers: {
        patient: { maxRequests: 1, timeout: '1s', trip: 'consecutiveFailures > 20' },
      },
    },
    targets: {
      components: {
        [NAME]: {
          outbound: { timeout: 'long', retry: 'twice', circuitBreaker: 'patient' },
          inbound: { timeout: 'long', retry: 'twice' },
        },
      },
    },
  },
};

/** Where the suite looks for what is named by its files: servers, folders, keys. */
export type Places = Readonly<Record<string, string>>;

/**
 * Writes the list and the component file that the suite reads, for one component, and what is beside it in `resources/`, into
 * `folder`: all of it JSON, which is YAML too. `dapr` is the folder of Dapr's own.
 *
 * @throws Error where Dapr's list does not know the component and the component does not say all itself.
 */
export function writeSuiteFiles(
  folder: string,
  dapr: string,
  component: Component,
  places: Places,
): void {
  const { kind, name, profile } = component;
  const listed = readList(dapr, kind).find(
    (one) => one.component === name && one.profile === profile,
  );
  const found = listed === undefined ? undefined : readComponent(dapr, kind, name, profile);
  const operations = component.operations ?? listed?.operations;
  if (operations === undefined) {
    throw new Error(
      `Dapr's list of ${kind} has no ${name}, and ours does not say what to ask of it.`,
    );
  }
  const own = component.as ?? profile ?? 'listed';
  const config = { ...listed?.config, ...component.config };
  const list = {
    componentType: kind,
    components: [{ component: name, profile: own, operations, config }],
  };
  const at = path.join(folder, kind, ...name.split('.'), own);
  mkdirSync(at, { recursive: true });
  mkdirSync(path.join(folder, 'resources'));
  write(path.join(folder, 'resources/variables.yaml'), VARIABLES);
  if (component.policies) write(path.join(folder, 'resources/policies.yaml'), POLICIES);
  write(path.join(folder, kind, 'tests.yml'), list);
  write(path.join(at, 'component.yml'), {
    apiVersion: 'dapr.io/v1alpha1',
    kind: 'Component',
    metadata: { name },
    spec: {
      type: found?.spec.type ?? `${kind}.${name}`,
      version: found?.spec.version ?? 'v1',
      metadata: merged(found, component.metadata, places),
    },
  });
}

function readList(dapr: string, kind: string): readonly Listed[] {
  const text = readFileSync(path.join(dapr, kind, 'tests.yml'), 'utf8');
  return (parse(text) as { components: readonly Listed[] }).components;
}

function readComponent(dapr: string, kind: string, name: string, profile = ''): ComponentFile {
  const at = path.join(dapr, kind, ...name.split('.'), profile);
  const file = existsSync(at) ? readdirSync(at).find((one) => /\.ya?ml$/.test(one)) : undefined;
  if (file === undefined) throw new Error(`${at} has no component file.`);
  return parse(readFileSync(path.join(at, file), 'utf8')) as ComponentFile;
}

function merged(
  found: ComponentFile | undefined,
  changed: Component['metadata'] = {},
  places: Places,
): readonly { readonly name: string; readonly value: string }[] {
  const all = new Map<string, string | null>();
  for (const { name, value } of found?.spec.metadata ?? []) all.set(name, String(value ?? ''));
  for (const [name, value] of Object.entries(changed)) all.set(name, value);
  return [...all].flatMap(([name, value]) =>
    value === null ? [] : [{ name, value: placed(value, places) }],
  );
}

function placed(value: string, places: Places): string {
  return Object.entries(places).reduce((text, [from, to]) => text.replaceAll(from, to), value);
}

function write(file: string, what: unknown): void {
  writeFileSync(file, JSON.stringify(what));
}
