import { createPrivateKey, type KeyObject } from 'node:crypto';
import type { ComponentSettings } from '../../../components/component-settings.ts';
import { pemSetting } from './pem-setting.ts';

/** Where a token comes from, and who asks for it. */
export interface OidcSettings {
  readonly endpoint: URL;
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** They go to Kafka with the token. */
  readonly extensions: Readonly<Record<string, string>>;
  readonly proof: OidcProof;
  /** Believed beside the system's own, where the endpoint is asked over TLS. */
  readonly caCert: string | undefined;
  readonly skipVerify: boolean;
}

/** How the client shows that it is who it says. */
export type OidcProof =
  | { readonly kind: 'secret'; readonly secret: string }
  | {
      readonly kind: 'key';
      /** Signs an assertion. */
      readonly key: KeyObject;
      readonly keyId: string | undefined;
      readonly audience: string | undefined;
      readonly resource: string | undefined;
    };

/** Of an extension, in RFC 7628; `auth` is the token itself. */
const NAME = /^(?!auth$)[A-Za-z]+$/;

/** @throws Error that names the item and what may stand there. */
export function oidcSettings(settings: ComponentSettings, authType: string): OidcSettings {
  const needed = (name: string): string => {
    const text = settings.text(name);
    if (text !== undefined) return text;
    throw new Error(`metadata ${name} must be given for authType "${authType}"`);
  };
  const endpoint = needed('oidcTokenEndpoint');
  const clientId = needed('oidcClientID');
  const proof: OidcProof =
    authType === 'oidc' ? { kind: 'secret', secret: needed('oidcClientSecret') } : keyOf(settings);
  return {
    endpoint: endpointOf(endpoint),
    clientId,
    scopes: (settings.text('oidcScopes') ?? 'openid').split(','),
    extensions: extensionsOf(settings.text('oidcExtensions')),
    proof,
    caCert: pemSetting(settings, 'caCert', false),
    skipVerify: settings.flag('skipVerify'),
  };
}

function endpointOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url;
  throw new Error(
    `metadata oidcTokenEndpoint must be a URL such as https://host/token, not "${text}"`,
  );
}

function keyOf(settings: ComponentSettings): OidcProof {
  const authType = 'oidc_private_key_jwt';
  // Nothing is done with it but that it must be there, as in Dapr.
  pemSetting(settings, 'oidcClientAssertionCert', authType);
  const pem = pemSetting(settings, 'oidcClientAssertionKey', authType)!;
  return {
    kind: 'key',
    key: rsaKeyOf(pem),
    keyId: settings.text('oidcKid'),
    audience: settings.text('oidcAudience'),
    resource: settings.text('oidcResource'),
  };
}

function rsaKeyOf(pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (error) {
    throw new Error(
      `metadata oidcClientAssertionKey is no private key: ${(error as Error).message}`,
    );
  }
  if (key.asymmetricKeyType === 'rsa') return key;
  throw new Error(
    `metadata oidcClientAssertionKey must be an RSA key, not one of kind ${key.asymmetricKeyType}`,
  );
}

function extensionsOf(text: string | undefined): Readonly<Record<string, string>> {
  if (text === undefined) return {};
  const wrong =
    'metadata oidcExtensions must be a JSON object of texts, with names of letters alone, such as {"cluster":"a"}';
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw new Error(`${wrong}, not ${text}`);
  }
  const pairs = typeof given === 'object' && given !== null ? Object.entries(given) : [];
  if (
    pairs.length > 0 &&
    pairs.every(([name, value]) => NAME.test(name) && typeof value === 'string')
  ) {
    return given as Readonly<Record<string, string>>;
  }
  throw new Error(`${wrong}, not ${text}`);
}
