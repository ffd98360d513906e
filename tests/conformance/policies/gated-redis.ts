import net, { type AddressInfo } from 'node:net';

/** How one command fares: it reaches the server, fails, or is never answered. */
export type GateTurn = 'ok' | 'fail' | 'hang';

/** A way to a Redis on which commands do as the script says. */
export interface RedisGate {
  readonly port: number;
  /** For commands from now on; the last turn stays. */
  script(turns: readonly GateTurn[]): void;
  /** Commands that the script was asked about, by name. */
  asked(): readonly string[];
  close(): void;
}

/** What clients say of themselves; that is not a call of the component. */
const ASIDE = /^(AUTH|CLIENT|COMMAND|CONFIG|HELLO|INFO|PING|READONLY|SCRIPT|SELECT)$/;

export async function gatedRedis(port: number): Promise<RedisGate> {
  let turns: GateTurn[] = [];
  let open = false;
  const asked: string[] = [];
  const sockets = new Set<net.Socket>();
  const server = net.createServer((client) => {
    const upstream = net.connect(port, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
        sockets.delete(socket);
      });
    }
    upstream.on('data', (data) => client.write(data));
    let held = Buffer.alloc(0);
    client.on('data', (data) => {
      held = Buffer.concat([held, data]);
      for (let end = commandEnd(held); end > 0; end = commandEnd(held)) {
        const command = held.subarray(0, end);
        held = held.subarray(end);
        const name = /^\*\d+\r\n\$\d+\r\n(\w+)/.exec(command.toString('latin1'))![1]!.toUpperCase();
        const scripted = open && !ASIDE.test(name);
        if (scripted) asked.push(name);
        const turn = scripted ? ((turns.length > 1 ? turns.shift() : turns[0]) ?? 'ok') : 'ok';
        if (turn === 'ok') upstream.write(command);
        if (turn === 'fail') client.write('-ERR on purpose\r\n');
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    script(given) {
      turns = [...given];
      open = true;
    },
    asked: () => asked,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Where the first command of the buffer ends; 0 while it is not whole. */
function commandEnd(buffer: Buffer): number {
  const line = (from: number): [number, number] => {
    const end = buffer.indexOf('\r\n', from);
    return end < 0 ? [0, 0] : [Number(buffer.toString('latin1', from + 1, end)), end + 2];
  };
  let [parts, at] = line(0);
  if (at === 0) return 0;
  for (; parts > 0; parts -= 1) {
    const [bytes, start] = line(at);
    if (start === 0 || buffer.length < start + bytes + 2) return 0;
    at = start + bytes + 2;
  }
  return at;
}
