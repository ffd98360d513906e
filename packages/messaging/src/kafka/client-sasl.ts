import type { KafkaClientSasl, KafkaSasl } from './module.ts';

/** Between names and values of what is sent; none of them may hold it. */
const SEPARATOR = '\x01';
/** Of RFC 7628: `auth` is the token itself. */
const EXTENSION_NAME = /^[A-Za-z]+$/;

/** What the client is given of `kafkaBroker.sasl`. */
export function clientSasl(sasl: KafkaSasl): KafkaClientSasl {
  if (sasl.mechanism !== 'OAUTHBEARER') return sasl;
  return {
    mechanism: sasl.mechanism,
    token: sasl.token,
    oauthBearerExtensions: { ...sasl.extensions },
    authBytesValidator(bytes, done) {
      const refusal = refusalOf(bytes);
      if (refusal === undefined) done(null, bytes);
      else done(new Error(`Kafka does not take the token: ${refusal}`));
    },
  };
}

/** @throws TypeError for what could not be sent. */
export function checkSasl(sasl: KafkaSasl): void {
  if (sasl.mechanism !== 'OAUTHBEARER') return;
  for (const [name, value] of Object.entries(sasl.extensions ?? {})) {
    if (!EXTENSION_NAME.test(name) || name === 'auth') {
      throw new TypeError(
        `kafkaBroker.sasl.extensions must have names of letters alone, and none "auth", not "${name}".`,
      );
    }
    if (value.includes(SEPARATOR)) {
      throw new TypeError(
        `kafkaBroker.sasl.extensions.${name} must not hold the character U+0001.`,
      );
    }
  }
}

/**
 * A broker answers a token that it does not take with a document that says why, as if all were
 * well, and waits for one more message before it ends the connection.
 */
function refusalOf(bytes: Buffer): string | undefined {
  if (bytes.length === 0) return undefined;
  try {
    const { status } = JSON.parse(bytes.toString()) as { status?: unknown };
    return typeof status === 'string' ? status : undefined;
  } catch {
    return `its answer cannot be read (${bytes.length} bytes)`;
  }
}
