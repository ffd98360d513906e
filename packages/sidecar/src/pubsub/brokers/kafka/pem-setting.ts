import type { ComponentSettings } from '../../../components/component-settings.ts';

/** `neededBy` names the way to sign in that cannot do without. */
export function pemSetting(
  settings: ComponentSettings,
  name: string,
  neededBy: string | false,
): string | undefined {
  const text = settings.text(name);
  if (text === undefined) {
    if (neededBy !== false)
      throw new Error(`metadata ${name} must be given for authType "${neededBy}"`);
    return undefined;
  }
  if (text.includes('-----BEGIN ')) return text;
  throw new Error(`metadata ${name} must be PEM, beginning with -----BEGIN`);
}
