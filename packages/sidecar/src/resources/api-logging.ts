import { ConfigurationError } from './configuration-error.ts';
import type { Place } from './place.ts';
import { isRecord } from './resource-files.ts';

/** `spec.logging.apiLogging`: which calls of the API there is a line for, and what it says. */
export interface ApiLogging {
  readonly enabled: boolean;
  /** The name of what was called in place of its path: what is in paths is often somebody's. */
  readonly obfuscateUrls: boolean;
  /** No lines for those who ask whether the sidecar is well. */
  readonly omitHealthChecks: boolean;
}

export const NO_API_LOGGING: ApiLogging = {
  enabled: false,
  obfuscateUrls: false,
  omitHealthChecks: false,
};

/** What it does not say is as `before`. @throws ConfigurationError for what is neither true nor false. */
export function readApiLogging(given: unknown, place: Place, before: ApiLogging): ApiLogging {
  if (!isRecord(given)) return before;
  const flag = (key: string, otherwise: boolean): boolean => {
    const value = given[key] ?? otherwise;
    if (typeof value === 'boolean') return value;
    throw new ConfigurationError(place.at(key), 'must be true or false.');
  };
  return {
    enabled: flag('enabled', before.enabled),
    obfuscateUrls: flag('obfuscateURLs', before.obfuscateUrls),
    omitHealthChecks: flag('omitHealthChecks', before.omitHealthChecks),
  };
}
