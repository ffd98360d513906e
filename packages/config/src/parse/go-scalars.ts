import type { ScalarTag, TagId, Tags } from 'yaml';

type Tag = Tags[number] | ScalarTag;

/** Of YAML 1.1: what Go's reader takes for texts, or has as maps and lists. */
const NOT_IN_GO = /:(?:omap|pairs|set|timestamp|binary)$/;

/** `0o17`, which is of YAML 1.2. */
const OCTAL: ScalarTag = {
  identify: () => false,
  default: true,
  tag: 'tag:yaml.org,2002:int',
  format: 'OCT12',
  test: /^[-+]?0o[0-7_]+$/,
  resolve: (text) =>
    Number(text.replaceAll('_', '').replace(/^[-+]/, '')) * (text.startsWith('-') ? -1 : 1),
};

const BINARY: ScalarTag = {
  identify: () => false,
  default: false,
  tag: 'tag:yaml.org,2002:binary',
  resolve(text, onError) {
    try {
      return new TextDecoder().decode(Uint8Array.from(atob(text), (each) => each.charCodeAt(0)));
    } catch {
      onError('!!binary value contains invalid base64 data');
      return text;
    }
  },
};

/**
 * Scalars as daprd reads them, which is YAML 1.1 without times: `yes`, `on` and `n` are booleans,
 * `017` is 15 and `1_000` a thousand. A whole number that JavaScript has none for stays as its digits:
 * it is a password more often than an amount.
 */
export function goScalars(tags: Tags): (TagId | Exclude<Tag, string>)[] {
  const kept = tags.filter((tag) => {
    if (typeof tag === 'string') return true;
    return !NOT_IN_GO.test(tag.tag) && !('format' in tag && tag.format === 'TIME');
  });
  return [OCTAL, BINARY, ...kept.map((tag) => (isDecimal(tag) ? exactly(tag) : tag))];
}

const isDecimal = (tag: Tag): tag is ScalarTag =>
  typeof tag !== 'string' && tag.tag.endsWith(':int') && !('format' in tag);

function exactly(tag: ScalarTag): ScalarTag {
  return {
    ...tag,
    resolve(text, onError, options) {
      const value = tag.resolve!(text, onError, options);
      const exact = Number.isSafeInteger(value) || text.length > MOST_DIGITS;
      return exact ? value : text.replaceAll('_', '').replace(/^\+/, '');
    },
  };
}

/** Of the largest whole number that Go has; a longer one is rounded there too. */
const MOST_DIGITS = 20;
