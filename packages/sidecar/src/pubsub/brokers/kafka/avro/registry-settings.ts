import type { ComponentSettings } from '../../../../components/component-settings.ts';
import { durationSetting } from '../../../../components/duration-setting.ts';

/** Where schemas are kept, and how they are asked for. */
export interface RegistrySettings {
  readonly url: string;
  /** Signs in with a key and its secret. */
  readonly key: { readonly name: string; readonly secret: string } | undefined;
  /** How long the latest schema of a topic is taken for that; 0: it is asked for each time, and those by id too. */
  readonly latestForMs: number;
  /** The branch of a union is named in JSON, as Avro has it. */
  readonly avroJson: boolean;
}

/** Undefined where there is none. @throws Error that names the item and what may stand there. */
export function registrySettings(settings: ComponentSettings): RegistrySettings | undefined {
  const url = settings.text('schemaRegistryURL');
  if (url === undefined) return undefined;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new Error(
      `metadata schemaRegistryURL must be a URL such as http://localhost:8081, not "${url}"`,
    );
  }
  const name = settings.text('schemaRegistryAPIKey');
  const cached = settings.flag('schemaCachingEnabled', true);
  const latestForMs = durationSetting(settings, 'schemaLatestVersionCacheTTL') ?? 300_000;
  if (latestForMs < 0) {
    throw new Error(
      `metadata schemaLatestVersionCacheTTL must be 0 or more, not ${latestForMs} ms`,
    );
  }
  return {
    url: url.replace(/\/+$/, ''),
    key:
      name === undefined
        ? undefined
        : { name, secret: settings.text('schemaRegistryAPISecret') ?? '' },
    latestForMs: cached ? latestForMs : 0,
    avroJson: settings.flag('useAvroJSON'),
  };
}
