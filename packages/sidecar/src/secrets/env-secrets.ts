import type { SecretStore } from './secret-store.ts';

/** Tokens and keys of the sidecar itself are nobody's secret to read; as in Dapr, all that is named like them. */
const HIDDEN = /^(?:APP_API_TOKEN$|DAPR_)/i;

export const isHidden = (variable: string): boolean => HIDDEN.test(variable);

/** `secretstores.local.env`: the variables of the sidecar's environment. */
export function envSecrets(
  variables: Readonly<Record<string, string | undefined>>,
  prefix: string,
): SecretStore {
  return {
    async get(name) {
      const variable = `${prefix}${name}`;
      return { [name]: isHidden(variable) ? '' : (variables[variable] ?? '') };
    },
    async all() {
      const names = Object.keys(variables).filter(
        (name) => name.startsWith(prefix) && name !== prefix && !isHidden(name),
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
