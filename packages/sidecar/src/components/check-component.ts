import { NONE_PLUGGED, type PluggedTypes } from '../pluggable/plugged-types.ts';
import type { ComponentSpec } from './component-spec.ts';
import {
  CONFIGURATIONS,
  INPUTS,
  LOCKS,
  MIDDLEWARE,
  OUTPUTS,
  PUBSUB,
  SECRETS,
  STATE,
} from './component-types.ts';
import { typeName } from './component-version.ts';

/** What a type may begin with, in Dapr: of these kinds some types are not here, of others there are none anywhere. */
const KINDS = [
  'bindings',
  'configuration',
  'conversation',
  'crypto',
  'lock',
  'middleware',
  'pubsub',
  'secretstores',
  'state',
];

const OURS = [STATE, PUBSUB, LOCKS, CONFIGURATIONS, SECRETS, OUTPUTS, INPUTS, MIDDLEWARE];

/**
 * @throws Error for a type of no kind, and for a version that its type does not have, with which daprd
 * does not start either; the words before the remedy are daprd's.
 */
export function checkComponent(spec: ComponentSpec, plugged: PluggedTypes = NONE_PLUGGED): void {
  const { name, type, version } = spec;
  if (!KINDS.some((kind) => type.startsWith(`${kind}.`))) {
    throw new Error(
      `process component ${name} error: incorrect type ${type}; a type begins with ${KINDS.join('., ')}.`,
    );
  }
  const known = [...OURS, ...Object.values(plugged)].flatMap((table) => Object.keys(table));
  if (known.includes(typeName(spec))) return;
  const lower = type.toLowerCase();
  const versions = known.flatMap((one) => {
    if (one === lower) return ['v1'];
    return one.startsWith(`${lower}/`) ? [one.slice(lower.length + 1)] : [];
  });
  // Of a type that is not here at all the log says so.
  if (versions.length === 0) return;
  const there = [...new Set(versions)].join(' or ');
  throw new Error(`couldn't find ${type}/${version}; spec.version of this type is ${there}`);
}
