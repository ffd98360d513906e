/**
 * `setTimeout` reads anything longer as 1 ms, so a 30-day limit would be over at
 * once. No duration that a timer has to wait for may exceed it.
 */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Throws a `RangeError` that names the option, the rule and the value that broke it. */
export function checkInteger(option: string, value: unknown, min: number, max: number): void {
  // Infinity is a whole number here where the range says so: "no limit" is written Infinity.
  if (value === Infinity ? max === Infinity : Number.isInteger(value) && within(value, min, max)) {
    return;
  }
  throw new RangeError(`${option} must be a whole number ${range(min, max)}, not ${show(value)}.`);
}

/** As `checkInteger`, for options that may have a fraction: durations, ratios, factors. */
export function checkNumber(option: string, value: unknown, min: number, max: number): void {
  if (typeof value === 'number' && within(value, min, max)) return;
  throw new RangeError(`${option} must be a number ${range(min, max)}, not ${show(value)}.`);
}

/** Throws unless `value` is one of `allowed`. */
export function checkOneOf(option: string, value: unknown, allowed: readonly string[]): void {
  if (allowed.includes(value as string)) return;
  throw new RangeError(`${option} must be one of ${allowed.join(', ')}, not ${show(value)}.`);
}

/** Throws unless `value` is a function, or absent. */
export function checkFunction(option: string, value: unknown): void {
  if (value === undefined || typeof value === 'function') return;
  throw new TypeError(`${option} must be a function, not ${show(value)}.`);
}

/**
 * Throws unless `value` is a function that answers at once, or absent. What an asynchronous one or a
 * generator returns is an object, and that would count as true whatever it comes to.
 */
export function checkSync(option: string, value: unknown): void {
  checkFunction(option, value);
  const kind = (value as { readonly [Symbol.toStringTag]?: string } | undefined)?.[
    Symbol.toStringTag
  ];
  if (kind === undefined) return;
  throw new TypeError(
    `${option} must answer at once, and cannot be of the kind ${kind}: what that returns would count as true. Ask before the call, or in the function that is called.`,
  );
}

/** Throws unless `value` has each of these methods, or is absent. */
export function checkMethods(option: string, value: unknown, ...names: readonly string[]): void {
  if (value === undefined) return;
  for (const name of names) {
    const method = (value as Readonly<Record<string, unknown>> | null)?.[name];
    if (typeof method !== 'function') {
      throw new TypeError(`${option} must have a method ${name}.`);
    }
  }
}

/** Throws unless `value` is true or false: a string from JavaScript would count as true, "false" as well. */
export function checkBoolean(option: string, value: unknown): void {
  if (typeof value === 'boolean') return;
  throw new TypeError(`${option} must be true or false, not ${show(value)}.`);
}

/** Throws unless `value` is a string. */
export function checkString(option: string, value: unknown): void {
  if (typeof value === 'string') return;
  throw new TypeError(`${option} must be a string, not ${show(value)}.`);
}

/** Throws unless `value` is a string that says something. */
export function checkName(option: string, value: unknown): void {
  if (typeof value === 'string' && value !== '') return;
  throw new RangeError(`${option} must be a string that is not empty, not ${show(value)}.`);
}

/** Throws unless `value` is an object: neither null, nor a list, a text or a number. */
export function checkObject(option: string, value: unknown, rule = 'an object of options'): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return;
  throw new TypeError(`${option} must be ${rule}, not ${show(value)}.`);
}

/** The options of a maker by name, each with its default: none may be missing, or it would be refused. */
export type Known<Options> = { readonly [Name in keyof Options]-?: unknown };

/** In place of a default, for an option that has none or needs none here. */
export const NO_DEFAULT = undefined as never;

/** Options with what was given and, for the others, the defaults. */
export type WithDefaults<Options, Defaults> = {
  -readonly [Name in keyof Defaults]: Name extends keyof Options
    ? Defaults[Name] | Exclude<Options[Name], undefined>
    : Defaults[Name];
};

/**
 * Answers with the options in `given`, and the defaults of the others: one that is undefined is not given.
 * Throws unless it is an object of no options but those that have a default: one that is misspelt in
 * JavaScript would be none at all, without a word.
 */
export function checkOptions<Options extends object, Defaults extends Known<Options>>(
  of: string,
  given: Options,
  defaults: Defaults,
): WithDefaults<Options, Defaults> {
  checkObject(of, given);
  const names = Object.keys(defaults);
  const options: Record<string, unknown> = { ...defaults };
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if (!names.includes(name)) {
      throw new TypeError(
        `${of}.${name} is no option${guess(name, names)} There are: ${names.join(', ')}.`,
      );
    }
    options[name] = value;
  }
  return options as WithDefaults<Options, Defaults>;
}

/** Asks for the name that has most pairs of letters in common with `unknown`, if these are many. */
function guess(unknown: string, names: readonly string[]): string {
  const text = unknown.toLowerCase();
  let most = 0.45;
  let question = '.';
  for (const name of names) {
    const other = name.toLowerCase();
    const common = [...text].filter((_, at) => other.includes(text.slice(at, at + 2))).length;
    const share = common / Math.max(text.length, other.length);
    if (share > most) {
      most = share;
      question = `; did you mean ${name}?`;
    }
  }
  return question;
}

/** Checks the options of one kind of policy, each with one of the above. */
export function checker<Options extends object>(kind: string, options: Options) {
  return <Rule extends unknown[]>(
    check: (option: string, value: unknown, ...rule: Rule) => void,
    name: keyof Options & string,
    ...rule: Rule
  ): void => check(`${kind}.${name}`, options[name], ...rule);
}

const within = (value: unknown, min: number, max: number) =>
  (value as number) >= min && (value as number) <= max;

const range = (min: number, max: number) =>
  max === Infinity ? `of at least ${min}` : `from ${min} to ${max}`;

const show = (value: unknown) => {
  if (typeof value === 'string') return `"${value}"`;
  return Array.isArray(value) ? 'a list' : String(value);
};
