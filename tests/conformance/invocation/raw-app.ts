import net, { type AddressInfo } from 'node:net';

/** An application that answers byte for byte what it is told to, and remembers the heads of requests. */
export interface RawApp {
  readonly port: number;
  /** The names of the headers of the request that came last, in lower case. */
  last(): string[];
  /** Sends a request over a connection that stays open, and reads until nothing more comes. */
  ask(port: number, raw: string): Promise<{ readonly bytes: string; readonly names: string[] }>;
  close(): Promise<void>;
}

const NOT_FOUND = 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n';
/** The end of an answer that is read from a connection that stays open. */
const SILENCE_MS = 150;

export async function startRawApp(answers: Readonly<Record<string, string>>): Promise<RawApp> {
  let seen: string[] = [];
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    let text = '';
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
      const end = endOf(text);
      if (end === undefined) return;
      const [verb, target = ''] = text.split(' ', 2);
      seen = namesOf(text);
      text = text.slice(end);
      const answer = answers[target.split('?', 1)[0]!] ?? NOT_FOUND;
      const head = answer.slice(0, answer.lastIndexOf('\r\n\r\n') + 4);
      socket.write(verb === 'HEAD' ? head : answer);
    });
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    last: () => seen,
    ask,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function ask(port: number, raw: string) {
  return new Promise<{ readonly bytes: string; readonly names: string[] }>((resolve) => {
    let bytes = '';
    let quiet: NodeJS.Timeout | undefined;
    const socket = net.connect(port, '127.0.0.1', () => socket.write(raw));
    socket.setTimeout(10_000, () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.toString('latin1');
      clearTimeout(quiet);
      quiet = setTimeout(() => socket.destroy(), SILENCE_MS);
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve({ bytes, names: namesOf(bytes) }));
  });
}

/** Of the first head. */
function namesOf(text: string): string[] {
  const [, ...lines] = text.split('\r\n\r\n', 1)[0]!.split('\r\n');
  return lines.map((line) => line.split(':', 1)[0]!.toLowerCase());
}

/** Where a request ends, if it does already. */
function endOf(text: string): number | undefined {
  const head = text.indexOf('\r\n\r\n') + 4;
  if (head < 4) return undefined;
  const fields = text.slice(0, head);
  const length = /^content-length: (\d+)/im.exec(fields)?.[1];
  if (length !== undefined) {
    return text.length < head + Number(length) ? undefined : head + Number(length);
  }
  if (!/^transfer-encoding: chunked/im.test(fields)) return head;
  const last = /^0\r\n(?:[^\r]+\r\n)*\r\n/m.exec(text.slice(head));
  return last === null ? undefined : head + last.index + last[0].length;
}
