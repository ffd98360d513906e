import type { Clock } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import { sameVersion } from '../components/component-version.ts';
import type { NameResolutionSpec } from '../resources/configuration.ts';
import { at, isRecord } from '../resources/resource-files.ts';
import { NameResolutionError } from './name-resolution-error.ts';
import type { NameResolver } from './name-resolver.ts';
import { SQLITE_KEYS, sqliteSettings } from './sqlite-settings.ts';

/** Opens the resolver a Configuration names; mDNS where it names none. */
export async function openNames(
  spec: NameResolutionSpec | undefined,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): Promise<NameResolver> {
  const component = (spec?.component ?? 'mdns').toLowerCase().replace(/^nameresolution\./, '');
  const { configuration = {}, version = '' } = spec ?? {};
  if (!sameVersion(version, '')) {
    throw new NameResolutionError(
      `couldn't find name resolver ${component}/${version}: nameResolution.version must be v1.`,
    );
  }
  switch (component) {
    case 'mdns': {
      const { mdnsNames } = await import('./mdns-names.ts');
      return await mdnsNames({ clock, log });
    }
    case 'sqlite': {
      const { sqliteNames } = await import('./sqlite-names.ts');
      sayUnknown('sqlite', SQLITE_KEYS, configuration, log);
      return await sqliteNames({ clock, log, ...sqliteSettings(configuration, log) });
    }
    case 'static': {
      const { staticNames } = await import('./static-names.ts');
      return staticNames(staticAddresses(configuration));
    }
    case 'kubernetes': {
      const { kubernetesNames } = await import('./kubernetes-names.ts');
      return kubernetesNames({ clock, ...kubernetesOptions(configuration) });
    }
    case 'nameformat': {
      const { formatNames } = await import('./format-names.ts');
      return formatNames(addressFormat(configuration));
    }
    default:
      throw new NameResolutionError(
        `nameResolution.component must be mdns, sqlite, kubernetes, nameformat or static in this version, not "${component}".`,
      );
  }
}

function kubernetesOptions(configuration: Readonly<Record<string, unknown>>) {
  const wrong = (key: string, rule: string, given: unknown) =>
    new NameResolutionError(`nameResolution.configuration.${key} must be ${rule}, not "${given}".`);
  const domain = at(configuration, 'clusterDomain') || undefined;
  if (domain !== undefined && (typeof domain !== 'string' || !/^[\w.-]+$/.test(domain))) {
    throw wrong('clusterDomain', 'a domain name, such as "cluster.local"', domain);
  }
  const given = at(configuration, 'template') || undefined;
  // As Go reads it, with spaces or without.
  const template =
    typeof given === 'string' ? given.replaceAll(/\{\{\s*|\s*\}\}/g, (at) => at.trim()) : given;
  const isAddress = /^[^/\s]*\{\{\.ID\}\}[^/\s]*:(?:\{\{\.Port\}\}|\d{1,5})$/;
  if (template !== undefined && (typeof template !== 'string' || !isAddress.test(template))) {
    const rule =
      'host:port with {{.ID}} in it, such as "{{.ID}}-dapr.{{.Namespace}}.svc.cluster.local:{{.Port}}"';
    throw wrong('template', rule, given);
  }
  return {
    ...(domain === undefined ? {} : { clusterDomain: domain as string }),
    ...(template === undefined ? {} : { template: template as string }),
  };
}

function addressFormat(configuration: Readonly<Record<string, unknown>>): string {
  const format = at(configuration, 'format');
  if (typeof format === 'string' && /^[^/\s]*\{appid\}[^/\s]*:\d{1,5}$/.test(format)) return format;
  throw new NameResolutionError(
    `nameResolution.configuration.format must be host:port with {appid} in it, such as "{appid}-sidecar.shop:50002", not "${format ?? ''}".`,
  );
}

/** A misspelt key would be overlooked. */
function sayUnknown(
  component: string,
  known: readonly string[],
  configuration: Readonly<Record<string, unknown>>,
  log: Logger,
): void {
  const lower = new Set(known.map((key) => key.toLowerCase()));
  const unknown = Object.keys(configuration).filter((key) => !lower.has(key.toLowerCase()));
  if (unknown.length === 0) return;
  log.warn(
    `nameResolution.configuration ${unknown.join(', ')} (${component}) have no effect; there are ${known.join(', ')}.`,
  );
}

function staticAddresses(configuration: Readonly<Record<string, unknown>>): Record<string, string> {
  const given = at(configuration, 'addresses') ?? configuration;
  if (!isRecord(given))
    throw new NameResolutionError('nameResolution.configuration.addresses must be a map.');
  const addresses: Record<string, string> = {};
  for (const [appId, address] of Object.entries(given)) {
    if (typeof address !== 'string' || !/^[^/\s]+:\d{1,5}$/.test(address)) {
      throw new NameResolutionError(
        `nameResolution.configuration.addresses.${appId} must be host:port, not "${address}".`,
      );
    }
    addresses[appId] = address;
  }
  return addresses;
}
