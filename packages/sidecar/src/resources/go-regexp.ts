import v8 from 'node:v8';

/** A `[[:class:]]` of POSIX within a set, which JavaScript has not. */
const CLASSES: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  blank: '\\t ',
  digit: '0-9',
  lower: 'a-z',
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\s',
  upper: 'A-Z',
  word: '\\w',
  xdigit: '0-9A-Fa-f',
};

/** Nothing of Go's, whose expressions cannot look around or back. */
const NOT_GO = /\(\?(?:<?[=!])|\\[1-9]|\\k</;

let linear = false;

/**
 * An expression as Go reads it; `g` finds every match in a text.
 *
 * Go's take a time that grows with the text, whatever they look like, and the text is a client's to
 * choose. So an expression that makes V8 go back too often is run by V8's engine that never does.
 *
 * @throws SyntaxError for what is none
 */
export function goRegExp(source: string, flags: 'g' | '' = ''): RegExp {
  if (NOT_GO.test(source)) {
    throw new SyntaxError('Go’s expressions have no look-around and no references back');
  }
  if (!linear) {
    v8.setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');
    linear = true;
  }
  const [given = '', own = ''] = /^\(\?([ims]+)\)/.exec(source) ?? [];
  const rest = source.slice(given.length);
  const written = rest
    .replaceAll('(?P<', '(?<')
    .replaceAll('\\A', '^')
    .replaceAll('\\z', '$')
    .replace(/\[:(\w+):\]/g, (whole, name: string) => CLASSES[name] ?? whole);
  return new RegExp(written, flags + own);
}
