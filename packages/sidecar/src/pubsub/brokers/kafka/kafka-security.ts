import type { KafkaPassword, KafkaTls } from '@holdfast/messaging/kafka';
import { checkAuthority, checkPair } from '../../../components/check-certificates.ts';
import type { ComponentSettings } from '../../../components/component-settings.ts';
import { goBoolean } from '../../../components/go-boolean.ts';
import { type OidcSettings, oidcSettings } from './oidc-settings.ts';
import { pemSetting } from './pem-setting.ts';

/** How a component signs in at Kafka, and how its connections are kept private. */
export interface KafkaSecurity {
  readonly sasl: KafkaPassword | undefined;
  /** Where the token comes from that signs in. */
  readonly oidc: OidcSettings | undefined;
  readonly tls: KafkaTls | undefined;
}

type AuthType = (typeof AUTH_TYPES)[number];

const AUTH_TYPES = [
  'none',
  'password',
  'certificate',
  'mtls',
  'oidc',
  'oidc_private_key_jwt',
] as const;

/** Those that are TLS itself. */
const CERTIFIED: readonly AuthType[] = ['certificate', 'mtls'];

const MECHANISMS: Readonly<Record<string, KafkaPassword['mechanism']>> = {
  PLAINTEXT: 'PLAIN',
  PLAIN: 'PLAIN',
  'SHA-256': 'SCRAM-SHA-256',
  'SHA-512': 'SCRAM-SHA-512',
};

/** Whatever signs in is encrypted, unless `disableTls` says otherwise; `none` is in the clear. */
export function kafkaSecurity(settings: ComponentSettings): KafkaSecurity {
  const authType = authTypeOf(settings);
  if (authType === 'none') return { sasl: undefined, oidc: undefined, tls: undefined };
  const sasl = authType === 'password' ? saslOf(settings) : undefined;
  const oidc = authType.startsWith('oidc') ? oidcSettings(settings, authType) : undefined;
  if (settings.flag('disableTls')) {
    if (!CERTIFIED.includes(authType)) return { sasl, oidc, tls: undefined };
    throw new Error(`metadata disableTls cannot be with authType "${authType}", which is TLS`);
  }
  const ca = pemSetting(settings, 'caCert', authType === 'certificate' && authType);
  const pair = authType === 'mtls' ? pairOf(settings) : {};
  checkAuthority(ca, 'metadata caCert cannot be read');
  checkPair(pair, 'metadata clientCert and clientKey are no certificate and its key');
  const rejectUnauthorized = !settings.flag('skipVerify');
  return { sasl, oidc, tls: { ...(ca === undefined ? {} : { ca }), ...pair, rejectUnauthorized } };
}

/** Without the two a client shows nothing, which Dapr leaves to the server to judge. */
function pairOf(settings: ComponentSettings): Pick<KafkaTls, 'cert' | 'key'> {
  const [cert, key] = [
    pemSetting(settings, 'clientCert', false),
    pemSetting(settings, 'clientKey', false),
  ];
  if (cert !== undefined && key !== undefined) return { cert, key };
  if (cert === key) return {};
  throw new Error('metadata clientCert and clientKey must be given together');
}

function authTypeOf(settings: ComponentSettings): AuthType {
  const given = settings.text('authType') ?? deprecatedAuthType(settings);
  if (given === undefined) {
    throw new Error(`metadata authType must be given: ${AUTH_TYPES.join(', ')}`);
  }
  const found = AUTH_TYPES.find((one) => one === given.toLowerCase());
  if (found !== undefined) return found;
  throw new Error(
    `metadata authType: "${given}" is not in this version, which has ${AUTH_TYPES.join(', ')}`,
  );
}

function deprecatedAuthType(settings: ComponentSettings): string | undefined {
  const required = settings.text('authRequired');
  if (required === undefined) return undefined;
  const truth = goBoolean(required);
  // What is neither must not mean that nobody signs in.
  if (truth === undefined) {
    throw new Error(`metadata authRequired must be true or false, not "${required}"`);
  }
  if (!truth) return 'none';
  return settings.text('saslPassword') === undefined ? 'mtls' : 'password';
}

function saslOf(settings: ComponentSettings): KafkaPassword {
  const [username, password] = [settings.text('saslUsername'), settings.text('saslPassword')];
  if (username === undefined || password === undefined) {
    throw new Error('metadata saslUsername and saslPassword must be given for authType "password"');
  }
  const given = settings.text('saslMechanism') ?? 'PLAINTEXT';
  const mechanism = MECHANISMS[given];
  if (mechanism !== undefined) return { mechanism, username, password };
  throw new Error(
    `metadata saslMechanism must be ${Object.keys(MECHANISMS).join(', ')}, not "${given}"`,
  );
}
