import os from 'node:os';
import type { ResponseOutgoingPacket, ResponsePacket } from 'multicast-dns';
import type { Registration } from './name-resolver.ts';

type Answer = NonNullable<ResponsePacket['answers']>[number];

/** daprd's lifetimes: an hour or so for what names the service, two minutes for the address. */
const TTL_S = 3_200;
const ADDRESS_TTL_S = 120;

/**
 * The records by which daprd's kind of browser finds a sidecar: PTR from the
 * service type (the app id) to the instance, SRV and TXT of the instance, and
 * the address of the host that SRV names.
 */
export function mdnsRecords(
  { appId, host, port }: Registration,
  id: string,
  why: 'announce' | 'answer' | 'goodbye',
): ResponseOutgoingPacket {
  const type = `${appId}.local`;
  const instance = `${os.hostname()}:${id.slice(0, 8)}.${type}`;
  // A host name of our own: the machine's may be announced by others with another address.
  const target = `holdfast-${id.slice(0, 8)}.local`;
  const ttl = why === 'goodbye' ? 0 : TTL_S;
  const address = { name: target, type: 'A' as const, ttl: ttl && ADDRESS_TTL_S, data: host };
  const answers: Answer[] = [
    { name: type, type: 'PTR', ttl, data: instance },
    { name: instance, type: 'SRV', ttl, data: { port, target, priority: 0, weight: 0 } },
    { name: instance, type: 'TXT', ttl, data: [appId] },
    host.includes(':') ? { ...address, type: 'AAAA' } : address,
  ];
  return { answers };
}

/** Addresses of sidecars in a response, or of sidecars that say goodbye. */
export function* addressesIn(
  records: readonly Answer[],
): Iterable<{ readonly appId: string; readonly address: string; readonly gone: boolean }> {
  const hosts = new Map<string, string>();
  for (const record of records) {
    if (record.type === 'A' || record.type === 'AAAA')
      hosts.set(record.name.toLowerCase(), record.data);
  }
  for (const record of records) {
    if (record.type !== 'SRV') continue;
    const host = hosts.get(record.data.target.toLowerCase());
    const appId = appIdOf(record.name);
    if (host === undefined || appId === undefined) continue;
    const address = host.includes(':')
      ? `[${host}]:${record.data.port}`
      : `${host}:${record.data.port}`;
    yield { appId, address, gone: record.ttl === 0 };
  }
}

/** `<instance>.<app id>.local` → the app id; instances may hold dots, app ids may not. */
function appIdOf(name: string): string | undefined {
  const labels = name.replace(/\.$/, '').split('.');
  return labels.length >= 3 && labels.at(-1) === 'local' ? labels.at(-2) : undefined;
}
