import type { SecretStore } from './secret-store.ts';

/** Dapr's own tokens are nobody's secret to read. */
const HIDDEN = /^(APP_API_TOKEN|DAPR_API_TOKEN|DAPR_TRUST_ANCHORS|DAPR_CERT_CHAIN|DAPR_CERT_KEY)$/i;

/** `secretstores.local.env`: the variables of the sidecar's environment. */
export function envSecrets(
  variables: Readonly<Record<string, string | undefined>>,
  prefix: string,
): SecretStore {
  return {
    async get(name) {
      const variable = `${prefix}${name}`;
      return { [name]: HIDDEN.test(variable) ? '' : (variables[variable] ?? '') };
    },
    async all() {
      const names = Object.keys(variables).filter(
        (name) => name.startsWith(prefix) && !HIDDEN.test(name),
      );
      return Object.fromEntries(
        names.map((name) => {
          const short = name.slice(prefix.length);
          return [short, { [short]: variables[name] ?? '' }];
        }),
      );
    },
  };
}
