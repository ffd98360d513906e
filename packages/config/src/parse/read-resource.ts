import { isAlias, isMap } from 'yaml';
import { type Entry, entriesOf, follow, type Reading, spelling } from './entries.ts';
import { readObject } from './map-reader.ts';
import { readPolicies } from './read-policies.ts';
import { readTargets } from './read-targets.ts';
import type { ResiliencyDocument } from './resiliency-document.ts';
import { RESILIENCY, SPEC } from './vocabulary.ts';

/** A document whose kind is Resiliency, whole. */
export function readResource(reading: Reading): ResiliencyDocument {
  const { document, report } = reading;
  const root: Entry = { key: '', keyOffset: 0, value: document.contents, offset: 0 };
  const resource = readObject(reading, root, 'the document', RESILIENCY);
  const { name, namespace } = readMetadata(reading, resource.entry('metadata'));
  const scopes = readScopes(reading, resource.entry('scopes'));
  checkApiVersion(reading, resource.entry('apiVersion'));
  const spec = readObject(reading, resource.entry('spec'), 'spec', SPEC);
  const { policies, unusable } = readPolicies(reading, spec.entry('policies'));
  const targets = readTargets(reading, spec.entry('targets'));
  return { file: report.file, name, namespace, scopes, policies, targets, unusable };
}

/** Dapr looks at the kind alone, so another version is read all the same. */
function checkApiVersion({ report }: Reading, entry: Entry | undefined): void {
  const version = entry === undefined || entry.value === null ? '' : spelling(entry.value);
  if (version === 'dapr.io/v1alpha1') return;
  const message = version === '' ? 'has no apiVersion' : `apiVersion is "${version}"`;
  report.add(entry?.offset ?? 0, 'api-version', message, 'dapr.io/v1alpha1');
}

/** Kubernetes' metadata has many keys; only two are ours to look at. */
function readMetadata(reading: Reading, entry: Entry | undefined) {
  const entries = entry === undefined ? [] : (entriesOf(reading, entry, 'metadata') ?? []);
  const text = (key: string) => {
    const found = entries.find((each) => each.key === key);
    return found === undefined || found.value === null ? '' : (spelling(found.value) ?? '');
  };
  if (text('name') === '') {
    reading.report.add(entry?.keyOffset ?? 0, 'missing-name', 'has no metadata.name');
  }
  return { name: text('name'), namespace: text('namespace') };
}

/** It is meant for some, and it cannot be seen for whom: no app has this id. */
const NOBODY: readonly string[] = [''];

function readScopes(reading: Reading, entry: Entry | undefined): readonly string[] {
  const node = entry?.value ?? null;
  if (entry === undefined || node === null) return [];
  const items = 'items' in node && !isMap(node) ? (node.items as never[]) : undefined;
  const texts = items?.map((item) => {
    const value = isAlias(item) ? follow(reading, item) : item;
    return value === null ? undefined : spelling(value);
  });
  if (texts === undefined || texts.includes(undefined)) {
    reading.report.add(entry.offset, 'wrong-type', 'scopes must be a list of app ids');
    return NOBODY;
  }
  return texts as string[];
}
