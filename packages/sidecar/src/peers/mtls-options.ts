/**
 * What this sidecar shows to others, and whom it trusts. Each of the three is
 * given as a file, which is read again when it changes, or as PEM text.
 */
export interface MtlsOptions {
  /** Roots of the trust domain. */
  readonly trustAnchorsFile?: string;
  readonly trustAnchors?: string;
  /** Our certificate, followed by its issuer's. */
  readonly certChainFile?: string;
  readonly certChain?: string;
  readonly certKeyFile?: string;
  readonly certKey?: string;
  /** How often the files are looked at. @default 10_000 ms (100 … 3_600_000) */
  readonly pollMs?: number;
}

const MTLS_DEFAULTS = { pollMs: 10_000 } as const;

/** The three things, each with the names of its options and how the command line calls it. */
const MTLS_PARTS = [
  ['trustAnchors', 'trustAnchorsFile', '--trust-anchors-file or DAPR_TRUST_ANCHORS'],
  ['certChain', 'certChainFile', '--cert-chain-file or DAPR_CERT_CHAIN'],
  ['certKey', 'certKeyFile', '--cert-key-file or DAPR_CERT_KEY'],
] as const;

/** @throws RangeError for a part that is missing or given twice. */
export function resolveMtlsOptions(given: MtlsOptions): MtlsOptions & { readonly pollMs: number } {
  const options = { ...MTLS_DEFAULTS, ...given };
  for (const [text, file, flags] of MTLS_PARTS) {
    const count = Number(Boolean(options[text])) + Number(Boolean(options[file]));
    if (count === 1) continue;
    throw new RangeError(
      count === 0
        ? `sidecar.mtls needs ${text} or ${file} (${flags}); \`holdfast ca\` makes them.`
        : `sidecar.mtls has both ${text} and ${file} (${flags}); give one of them.`,
    );
  }
  const { pollMs } = options;
  if (!Number.isInteger(pollMs) || pollMs < 100 || pollMs > 3_600_000) {
    throw new RangeError(
      `sidecar.mtls.pollMs must be a whole number from 100 to 3600000, not ${pollMs}.`,
    );
  }
  return options;
}
