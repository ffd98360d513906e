import {
  BYE,
  CREDIT,
  DATA,
  FRAME_BYTES,
  HEAD,
  LAST,
  MAX_FRAME_BYTES,
  PING,
  PREFACE,
  RESET,
} from './frame-format.ts';

/** Of a body, so much is shown. */
const PREVIEW_BYTES = 64;
/** Bytes of what is no frame. */
const STRANGE_BYTES = 32;

const KINDS: Readonly<Record<number, string>> = {
  [HEAD]: 'HEAD',
  [DATA]: 'DATA',
  [RESET]: 'RESET',
  [CREDIT]: 'CREDIT',
  [BYE]: 'BYE',
  [PING]: 'PING',
};

/** Whose values are nobody's business, in headers and queries. */
const SECRET = /authorization|cookie|token|secret|passw|api[-_]?key|signature|credential/i;

/** Reads one direction of a connection and says each frame of it in one line, however the bytes are cut. */
export class FrameLines {
  #rest: Buffer = Buffer.alloc(0);
  #greeted = false;
  #lost = false;

  read(bytes: Buffer): readonly string[] {
    if (this.#lost) return [];
    const lines: string[] = [];
    let all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    if (!this.#greeted && all.length >= PREFACE.length) {
      if (!all.subarray(0, PREFACE.length).equals(PREFACE)) return this.#strange(all);
      this.#greeted = true;
      all = all.subarray(PREFACE.length);
    }
    while (this.#greeted && all.length >= FRAME_BYTES) {
      const length = all.readUInt32BE(0);
      if (length > MAX_FRAME_BYTES) return [...lines, ...this.#strange(all)];
      if (all.length < FRAME_BYTES + length) break;
      const payload = all.subarray(FRAME_BYTES, FRAME_BYTES + length);
      lines.push(frameLine(all[4]!, all.readUInt32BE(5), payload));
      all = all.subarray(FRAME_BYTES + length);
    }
    // A copy: the chunk may be large, and what is left of it small.
    this.#rest = Buffer.from(all);
    return lines;
  }

  #strange(bytes: Buffer): readonly string[] {
    this.#lost = true;
    this.#rest = Buffer.alloc(0);
    return [`no frame: ${bytes.subarray(0, STRANGE_BYTES).toString('hex')}`];
  }
}

function frameLine(kindByte: number, stream: number, payload: Buffer): string {
  const kind = kindByte & ~LAST;
  const name = KINDS[kind] ?? `KIND${kind}`;
  const last = (kindByte & LAST) === 0 ? '' : ' last';
  const what = described(kind, payload);
  return `${name}${last} stream=${stream} length=${payload.length}${what === '' ? '' : ` ${what}`}`;
}

function described(kind: number, payload: Buffer): string {
  if (kind === CREDIT && payload.length === 4) return `+${payload.readUInt32BE(0)}`;
  if (kind !== HEAD || payload.length < 2) return preview(payload);
  const end = 2 + payload.readUInt16BE(0);
  if (end > payload.length) return preview(payload);
  return [headOf(payload.toString('latin1', 2, end)), preview(payload.subarray(end))]
    .filter((part) => part !== '')
    .join(' | ');
}

/** Verb and path, or status; then the headers. */
function headOf(text: string): string {
  const lines = text.split('\n');
  const call = !/^\d+$/.test(lines[0] ?? '');
  const first = call ? `${lines[0]} ${maskedQuery(lines[1] ?? '')}` : lines[0]!;
  const parts = [first];
  for (let at = call ? 2 : 1; at < lines.length; at += 2) {
    const name = lines[at]!;
    parts.push(`${name}: ${SECRET.test(name) ? '***' : (lines[at + 1] ?? '')}`);
  }
  return parts.map(visible).join(' | ');
}

function maskedQuery(path: string): string {
  return path.replace(/([?&])([^=&]*)=([^&]*)/g, (all, mark: string, name: string) =>
    SECRET.test(name) ? `${mark}${name}=***` : all,
  );
}

/** The beginning of a body: as text where it is text, else in hexadecimal. */
function preview(bytes: Buffer): string {
  if (bytes.length === 0) return '';
  const shown = bytes.subarray(0, PREVIEW_BYTES);
  const more = bytes.length > shown.length ? '…' : '';
  const text = shown.toString('utf8').replace(/\ufffd$/, '');
  const isText = !/\ufffd|(?![\t\n\r])\p{Cc}/u.test(text);
  return isText ? `${JSON.stringify(text)}${more}` : `0x${shown.toString('hex')}${more}`;
}

/** One frame stays one line, whatever the other side writes into its head. */
function visible(text: string): string {
  return text.replace(/\p{Cc}/gu, (one) => `\\x${one.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
