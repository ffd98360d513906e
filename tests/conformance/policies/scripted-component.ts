import { create } from '@bufbuild/protobuf';
import { Code, ConnectError, type HandlerContext } from '@connectrpc/connect';
import { BadRequestSchema } from '../../../packages/sidecar/src/grpc/protos/error_details_pb.ts';
import { MessageQueue } from '../../../packages/sidecar/src/grpc/wire/message-queue.ts';
import {
  InputBinding,
  OutputBinding,
  PubSub,
  QueriableStateStore,
  type ReadResponse,
  ReadResponseSchema,
  SecretStore,
  StateStore,
  TransactionalStateStore,
} from '../../../packages/sidecar/src/pluggable/protos/components_pb.ts';
import { startComponent } from '../../../packages/sidecar/src/pluggable/testing/start-component.ts';

/** How a component takes one call: it fails with that code, keeps it waiting, has nothing, or objects to the etag. */
export type Turn = 'ok' | 'hang' | 'absent' | 'mismatch' | 'bad etag' | Code;

/** Pluggable components, as many as somebody names, each of which does what its script says. */
export interface ScriptedComponent {
  readonly folder: string;
  /** The last turn stays. Absent: all is well. Of an `unready` one it begins with `init`. */
  script(name: string, turns: readonly Turn[]): void;
  /** What that component has been asked so far. */
  asked(name: string): readonly string[];
  /** Of that, what it kept waiting and the sidecar no longer waits for. */
  givenUp(name: string): readonly string[];
  /** The application is to have an event of that input binding. */
  emit(name: string, messageId: string): void;
  /** What the sidecar said of the events of that input binding. */
  told(name: string): readonly string[];
  close(): Promise<void>;
}

/** The type of all of them is `KIND.scripted`. */
export async function scriptedComponent(): Promise<ScriptedComponent> {
  const scripts = new Map<string, Turn[]>();
  const asked = new Map<string, string[]>();
  const told = new Map<string, string[]>();
  const givenUp = new Map<string, string[]>();
  const events = new Map<string, MessageQueue<ReadResponse>>();
  const endings: (() => unknown)[] = [];
  const closed = Promise.withResolvers<boolean>();
  const nameOf = ({ requestHeader }: HandlerContext) =>
    requestHeader.get('x-component-instance') ?? '';
  const listOf = <T>(lists: Map<string, T[]>, name: string): T[] => {
    const list = lists.get(name) ?? [];
    lists.set(name, list);
    return list;
  };
  const eventsOf = (name: string) => {
    const queue = events.get(name) ?? new MessageQueue<ReadResponse>(100);
    events.set(name, queue);
    return queue;
  };

  /** Rejects where the script says so; else whether there is something. */
  const turn = async (what: string, context: HandlerContext): Promise<boolean> => {
    const name = nameOf(context);
    listOf(asked, name).push(what);
    const script = listOf(scripts, name);
    const now = (script.length > 1 ? script.shift() : script[0]) ?? 'ok';
    switch (now) {
      case 'ok':
        return true;
      case 'absent':
        return false;
      case 'hang':
        context.signal.addEventListener('abort', () => listOf(givenUp, name).push(what));
        // Whatever becomes of the caller: an answer to its giving up would race with its own.
        return await closed.promise;
      case 'mismatch':
        throw etagError(Code.FailedPrecondition);
      case 'bad etag':
        throw etagError(Code.InvalidArgument);
      default:
        throw new ConnectError('on purpose', now);
    }
  };
  const doing =
    <T>(what: string, answer: T) =>
    async (_: unknown, context: HandlerContext): Promise<T> => {
      await turn(what, context);
      return answer;
    };
  const item = { data: Buffer.from('1'), etag: { value: '7' } };

  const services = [
    InputBinding,
    OutputBinding,
    PubSub,
    QueriableStateStore,
    SecretStore,
    StateStore,
    TransactionalStateStore,
  ];
  const { folder } = await startComponent(
    { after: (ending: () => unknown) => void endings.push(ending) },
    'scripted',
    services,
    (router) => {
      const init = async (_: unknown, context: HandlerContext) => {
        if (nameOf(context).startsWith('unready')) await turn('init', context);
        return {};
      };
      router.service(StateStore, {
        init,
        features: () => ({ features: ['ETAG', 'TRANSACTIONAL', 'QUERY_API'] }),
        ping: () => ({}),
        get: async (_, context) => ((await turn('get', context)) ? item : {}),
        set: doing('set', {}),
        delete: doing('delete', {}),
        bulkGet: async ({ items }, context) => {
          await turn('bulkGet', context);
          return { items: items.map(({ key }) => ({ key, ...item })) };
        },
        bulkSet: doing('bulkSet', {}),
        bulkDelete: doing('bulkDelete', {}),
      });
      router.service(TransactionalStateStore, { transact: doing('transact', {}) });
      router.service(QueriableStateStore, { query: doing('query', {}) });
      router.service(SecretStore, {
        init,
        features: () => ({}),
        ping: () => ({}),
        get: doing('secret', { data: { key: 'shh' } }),
        bulkGet: doing('secrets', { data: { key: { secrets: { key: 'shh' } } } }),
      });
      router.service(OutputBinding, {
        init,
        ping: () => ({}),
        listOperations: () => ({ operations: ['create'] }),
        invoke: doing('invoke', {}),
      });
      router.service(PubSub, {
        init,
        ping: () => ({}),
        // Only that one is asked to publish in bulk.
        features: (_, context) => ({
          features: nameOf(context).includes('in-bulk') ? ['BULK_PUBSUB'] : [],
        }),
        publish: doing('publish', {}),
        bulkPublish: doing('bulkPublish', {}),
      });
      router.service(InputBinding, {
        init,
        ping: () => ({}),
        async *read(requests, context) {
          const name = nameOf(context);
          void (async () => {
            try {
              for await (const { messageId, responseError } of requests) {
                if (messageId === '') continue;
                listOf(told, name).push(`${messageId} ${responseError?.message ?? 'taken'}`);
              }
            } catch {
              // The sidecar ends the stream by breaking it.
            }
          })();
          yield* eventsOf(name);
        },
      });
    },
  );
  return {
    folder,
    script: (name, turns) => void scripts.set(name, [...turns]),
    asked: (name) => asked.get(name) ?? [],
    givenUp: (name) => givenUp.get(name) ?? [],
    emit: (name, messageId) => eventsOf(name).put(create(ReadResponseSchema, { messageId })),
    told: (name) => told.get(name) ?? [],
    async close() {
      closed.resolve(true);
      for (const ending of endings) await ending();
    },
  };
}

/** A component says that an etag is the cause by a violation of that field. */
function etagError(code: Code): ConnectError {
  const value = create(BadRequestSchema, {
    fieldViolations: [{ field: 'etag', description: 'the etag is another' }],
  });
  return new ConnectError('etag', code, undefined, [{ desc: BadRequestSchema, value }]);
}
