import type { ComponentSettings } from '../components/component-settings.ts';
import type { ComponentsEnv } from '../components/open-components.ts';
import { UnreachableError } from '../flow/unreachable-error.ts';
import { latePubSub } from './late-pubsub.ts';
import type { OutboxPubSub } from './outbox/outbox-pubsub.ts';
import { outboxSettings } from './outbox/outbox-settings.ts';
import type { PubSub } from './pubsub.ts';

/**
 * Opens a broker, behind an outbox where its metadata says `outbox: "true"`; then
 * one that cannot be reached yet does not keep the sidecar from starting.
 * `files` are the outboxes in use so far.
 *
 * @throws Error for metadata that cannot be.
 */
export async function openPubSub(
  settings: ComponentSettings,
  open: (settings: ComponentSettings, env: ComponentsEnv) => Promise<PubSub>,
  env: ComponentsEnv,
  files: Set<string>,
): Promise<{ readonly broker: PubSub; readonly outbox?: OutboxPubSub }> {
  const kept = outboxSettings(settings, env);
  if (kept === undefined) return { broker: await open(settings, env) };
  const { component } = settings;
  if (files.has(kept.path)) {
    // Each relay would hand over what was meant for the other's broker.
    throw new Error(`metadata outboxPath: ${kept.path} is the outbox of another component`);
  }
  files.add(kept.path);
  const behind = { ...env, mayBeAway: true };
  const broker = await open(settings, behind).catch((error: unknown) => {
    if (!(error instanceof UnreachableError)) throw error;
    return latePubSub(() => open(settings, behind), error, { component, ...env });
  });
  const outbound = () => env.outbound(component);
  // Brings the store, the relay and SQLite along.
  const { outboxPubSub } = await import('./outbox/outbox-pubsub.ts');
  const outbox = await outboxPubSub(broker, kept, { ...env, outbound }).catch(async (error) => {
    await broker.close();
    throw error;
  });
  const closed = {
    ...outbox,
    async close() {
      await outbox.close();
      files.delete(kept.path);
    },
  };
  return { broker: closed, outbox: closed };
}
