import { type ParseArgsConfig, parseArgs } from 'node:util';

/** What a script was given. A word that it does not understand ends it with status 2 and a sentence, not a stack. */
export function commandLine<Config extends ParseArgsConfig>(
  config: Config,
): ReturnType<typeof parseArgs<Config>> {
  try {
    return parseArgs(config);
  } catch (error) {
    // What node says after its first sentence is about words that begin with a dash.
    return refuse((error as Error).message.split('. ')[0]!, config);
  }
}

/** The value of a flag as a number, or the end of the script. */
export function wholeNumber(flag: string, text: string, least: number, most: number): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  return refuse(`--${flag} must be a whole number from ${least} to ${most}, not "${text}"`);
}

function refuse(sentence: string, { options = {} }: ParseArgsConfig = {}): never {
  const flags = Object.keys(options).map((name) => `--${name}`);
  console.error(`${sentence}.${flags.length === 0 ? '' : ` There are: ${flags.join(', ')}.`}`);
  process.exit(2);
}
