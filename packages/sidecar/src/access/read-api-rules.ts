import { ConfigurationError } from '../resources/configuration-error.ts';
import type { Place } from '../resources/place.ts';
import { isRecord } from '../resources/resource-files.ts';
import type { ApiRule, ApiRules } from './api-rules.ts';

export interface ReadApiRules {
  /** Undefined: every API is offered. */
  readonly rules: ApiRules | undefined;
  /** Rules without effect, each with its place and what to write. */
  readonly warnings: readonly string[];
}

/**
 * Reads `spec.api`. A rule that daprd overlooks is overlooked, with a warning.
 *
 * @throws ConfigurationError for what is no list of rules.
 */
export function readApiRules(given: unknown, place: Place): ReadApiRules {
  if (given === undefined || given === null) return { rules: undefined, warnings: [] };
  if (!isRecord(given))
    throw new ConfigurationError(place, 'must be a map with allowed and denied.');
  const warnings: string[] = [];
  const rules = {
    allowed: readRules(given.allowed, place.at('allowed'), warnings),
    denied: readRules(given.denied, place.at('denied'), warnings),
  };
  return { rules, warnings };
}

function readRules(given: unknown, place: Place, warnings: string[]): readonly ApiRule[] {
  if (given === undefined || given === null) return [];
  const shape = 'must be a list of { name, version, protocol }.';
  if (!Array.isArray(given)) throw new ConfigurationError(place, shape);
  return given.flatMap((item, at) => {
    if (!isRecord(item)) throw new ConfigurationError(place.at(at), shape);
    const { name, version, protocol } = item;
    const spoken = String(protocol ?? '').toLowerCase();
    if (spoken !== 'http' && spoken !== 'grpc') {
      warnings.push(
        `${place.at(at, 'protocol')} is "${protocol ?? ''}", so the rule has no effect; write http or grpc.`,
      );
      return [];
    }
    if (spoken === 'grpc' && String(version).startsWith('v1.0')) {
      const right = String(version).replace('.0', '').replace('-', '');
      warnings.push(
        `${place.at(at, 'version')} is "${version}", which no API of gRPC has, so the rule has no effect; write ${right}.`,
      );
      return [];
    }
    const rule: ApiRule = {
      name: String(name ?? ''),
      version: String(version ?? ''),
      protocol: spoken,
    };
    if (!/^v1(\.0(-(alpha|beta)\d+)?|(alpha|beta)\d+)?$/.test(rule.version)) {
      warnings.push(
        `${place.at(at, 'version')} is "${rule.version}", which no API has; write v1.0, v1.0-alpha1 or v1.0-beta1.`,
      );
    } else if (rule.name === '' && rule.version.startsWith('v1.0')) {
      warnings.push(
        `${place.at(at, 'name')} is missing, so the rule is about all APIs of ${rule.version}; write one, say "state".`,
      );
    }
    return [rule];
  });
}
