import type { Broker } from '../broker.ts';
import { givingUp } from '../consume/giving-up.ts';
import { resolveSubscribeOptions } from '../consume/subscribe-options.ts';
import { Subscriptions } from '../consume/subscriptions.ts';
import { BrokerFile } from './broker-file.ts';
import { FileWatch } from './file-watch.ts';
import { resolveSqliteBrokerOptions, type SqliteBrokerOptions } from './options.ts';
import { SqlitePublisher } from './publisher.ts';
import { SqliteSubscriber } from './subscriber.ts';

/** A broker that can be asked beforehand whether its file can be used. */
export interface SqliteBroker extends Broker {
  /** Opens the file, and makes it where it is missing. @throws BrokerUnavailableError */
  open(): Promise<void>;
}

/**
 * A broker in one SQLite file that the processes of a machine share, without a
 * server: published is what has been flushed to disk; a group has its own list
 * of what it has not acknowledged; what a killed member had in hand is another's
 * when its lease is over. Members of other processes hear of a message when the
 * file is written, or within a quarter of a second.
 */
export function sqliteBroker(given: SqliteBrokerOptions): SqliteBroker {
  const options = resolveSqliteBrokerOptions(given);
  const file = new BrokerFile(options.path, options.clock);
  const subscriptions = new Subscriptions();
  const members = new Set<SqliteSubscriber>();
  const everybodyLooks = () => {
    for (const member of members) member.look();
  };
  const watch = new FileWatch(options.path, everybodyLooks);
  const publisher = new SqlitePublisher(file, options, everybodyLooks);

  return {
    open: () => file.patiently(() => file.read(() => undefined), options.timeoutMs),
    publish: (messages) => publisher.publish(messages),
    async subscribe(topic, how, handler) {
      const subscribing = resolveSubscribeOptions(how);
      const member = new SqliteSubscriber(
        { file, watch, options },
        topic,
        subscribing,
        givingUp(handler, subscribing),
      );
      members.add(member);
      void member.ended.then(() => members.delete(member));
      return subscriptions.join(member, topic);
    },
    async close() {
      await Promise.all([publisher.close(), subscriptions.close()]);
      watch.close();
      file.close();
    },
  };
}
