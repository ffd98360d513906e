import type { InputBinding } from '../bindings/binding.ts';
import type { ComponentSettings } from '../components/component-settings.ts';
import type { ComponentsEnv } from '../components/open-components.ts';
import { asked } from './asked.ts';
import { KeptStream } from './kept-stream.ts';
import { type ReadResponse, InputBinding as Service } from './protos/components_pb.ts';
import { initOf, socketClient } from './socket-client.ts';

export async function pluggedInput(
  socketPath: string,
  settings: ComponentSettings,
  { clock, log }: Pick<ComponentsEnv, 'clock' | 'log'>,
): Promise<InputBinding> {
  const connection = socketClient(socketPath, settings.component);
  const client = connection.of(Service);
  await connection.first(() => asked(client.init(initOf(settings))));
  let stream: KeptStream<object, ReadResponse> | undefined;
  let left: Promise<unknown> = Promise.resolve();
  const leave = async (given: typeof stream): Promise<void> => {
    await given?.rest();
    given?.end();
  };
  const suspend = async (): Promise<void> => {
    left = Promise.all([left, leave(stream)]);
    stream = undefined;
    await left;
  };
  return {
    start(handle) {
      stream ??= new KeptStream<object, ReadResponse>({
        what: `Binding ${settings.component}`,
        open: (requests, options) => client.read(requests, options),
        async take({ data, messageId, metadata }) {
          try {
            const responseData = await handle({ data: Buffer.from(data), metadata });
            return { messageId, ...(responseData === undefined ? {} : { responseData }) };
          } catch (error) {
            return { messageId, responseError: { message: (error as Error).message } };
          }
        },
        // The words are daprd's.
        refuse: ({ messageId }) => ({
          messageId,
          responseError: { message: 'input binding is closed' },
        }),
        clock,
        log,
      });
    },
    suspend,
    async stop() {
      await suspend();
      connection.close();
    },
  };
}
