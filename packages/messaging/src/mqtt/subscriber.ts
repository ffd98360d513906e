import type { Subscription } from '../broker.ts';
import type { Handling } from '../consume/giving-up.ts';
import type { ResolvedSubscribeOptions } from '../consume/subscribe-options.ts';
import { isFilter } from '../mqtt-server/topics.ts';
import type { ResolvedMqttOptions } from './options.ts';
import { MqttSession, SHARED } from './session.ts';

/** Finds the session that a subscription belongs to, or opens it. */
export class MqttSubscriber {
  readonly #options: ResolvedMqttOptions;
  readonly #sessions = new Map<string, MqttSession>();

  constructor(options: ResolvedMqttOptions) {
    this.#options = options;
  }

  async subscribe(
    topic: string,
    options: ResolvedSubscribeOptions,
    handler: Handling,
  ): Promise<Subscription> {
    const { clientId, session } = this.#options;
    const { group } = options;
    if (!isFilter(topic.replace(SHARED, ''))) {
      throw new TypeError(
        `"${topic}" cannot be subscribed to: + is a whole level, # is the last, and $share/GROUP/ comes before a topic.`,
      );
    }
    switch (session) {
      case 'topic':
        return this.#in(`${group}:${topic}`).subscribe(topic, options, handler);
      case 'group':
        return this.#in(group).subscribe(topic, options, handler);
      case 'member':
        return this.#in(`${clientId}:${group}:${topic}`).subscribe(
          `$share/${shareNameOf(group)}/${topic}`,
          options,
          handler,
        );
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map((session) => session.close()));
  }

  #in(clientId: string): MqttSession {
    const known = this.#sessions.get(clientId);
    if (known !== undefined) return known;
    const session = new MqttSession(this.#options, clientId, () => {
      this.#sessions.delete(clientId);
    });
    this.#sessions.set(clientId, session);
    return session;
  }
}

/** @throws TypeError where the name of a group cannot be part of a filter. */
function shareNameOf(group: string): string {
  if (!/[/+#]/.test(group)) return group;
  throw new TypeError(`subscribe.group must be without /, + and # to be shared, not "${group}".`);
}
