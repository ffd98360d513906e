import path from 'node:path';
import { systemClock } from '@holdfast/core';
import { Authority, CA_DEFAULTS, type Issued } from '../ca/authority.ts';
import { TrustFolder } from '../ca/trust-folder.ts';
import { FlagError } from '../flags/flag.ts';
import type { CommandContext } from './output.ts';

/** As commander hands them over: texts, or absent. */
export interface CaOptions {
  readonly dir: string;
  readonly trustDomain?: string;
  readonly namespace?: string;
  readonly rootDays?: string;
  readonly issuerDays?: string;
  readonly days?: string;
  readonly all?: boolean;
  readonly force?: boolean;
}

/** `holdfast ca …`: certificates for sidecars that call each other over a network. */
export async function ca(
  action: 'init' | 'issue' | 'renew' | 'rotate' | 'prune',
  apps: readonly string[],
  options: CaOptions,
  { output, cwd }: CommandContext,
): Promise<number> {
  const folder = path.resolve(cwd, options.dir);
  const authority = new Authority(new TrustFolder(folder), systemClock);
  const namespace = options.namespace ?? CA_DEFAULTS.namespace;
  const authorityDays = {
    root: days('--root-days', options.rootDays, CA_DEFAULTS.rootDays),
    issuer: days('--issuer-days', options.issuerDays, CA_DEFAULTS.issuerDays),
  };
  const force = options.force === true;
  switch (action) {
    case 'init': {
      const trustDomain = options.trustDomain ?? CA_DEFAULTS.trustDomain;
      await authority.init(trustDomain, authorityDays, force);
      output.out(`An authority for the trust domain "${trustDomain}" is in ${folder}.`);
      output.out('Give ca.crt to every sidecar; keep ca.key and issuer.key to yourself.');
      return 0;
    }
    case 'issue':
      for (const appId of apps) {
        const lifeDays = days('--days', options.days, CA_DEFAULTS.workloadDays);
        const { trustDomain } = options;
        const request = { namespace, appId, days: lifeDays, trustDomain, force };
        output.out(said(await authority.issue(request)));
      }
      return 0;
    case 'renew': {
      const chosen = (space: string, app: string): boolean =>
        (apps.length === 0 || apps.includes(app)) &&
        (options.namespace === undefined || options.namespace === space);
      const lifeDays = options.days === undefined ? undefined : days('--days', options.days, 0);
      // Who names an app means it.
      const renewed = await authority.renew(
        chosen,
        options.all === true || apps.length > 0,
        lifeDays,
      );
      for (const one of renewed) output.out(said(one));
      if (renewed.length === 0)
        output.out('No certificate is due; --all renews those that are not.');
      return 0;
    }
    case 'rotate':
      await authority.rotate(authorityDays);
      output.out(`${folder} has a new root and issuer; sidecars trust the old roots too.`);
      output.out(
        'Next: when every sidecar has this ca.crt, `holdfast ca renew --all`, then `holdfast ca prune`.',
      );
      return 0;
    case 'prune': {
      const dropped = await authority.prune(force);
      output.out(`${dropped} old root${dropped === 1 ? '' : 's'} dropped.`);
      return 0;
    }
  }
}

function said({ id, folder, notAfterMs }: Issued): string {
  return `${id}  until ${new Date(notAfterMs).toISOString()}  ${folder}`;
}

function days(flag: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && value <= 36_500) return value;
  throw new FlagError(`${flag} must be a number of days above 0 and up to 36500, not "${text}".`);
}
