/** What this adapter calls of the `mqtt` package (5.x); hand in the module itself. */
export interface MqttModule {
  connect(url: string, options: MqttConnectOptions): MqttClient;
}

export interface MqttConnectOptions {
  protocolVersion: 4 | 5;
  clientId: string;
  clean: boolean;
  keepalive: number;
  connectTimeout: number;
  reconnectPeriod: number;
  resubscribe?: boolean;
  queueQoSZero?: boolean;
  username?: string;
  password?: string;
  ca?: string;
  cert?: string;
  key?: string;
  rejectUnauthorized?: boolean;
  properties?: { sessionExpiryInterval?: number; receiveMaximum?: number };
}

export interface MqttClient {
  readonly connected: boolean;
  /** Asked of each message with QoS 1 or 2; the client looks it up anew each time. An error goes to `error`, and on to the next packet. */
  readonly options: {
    customHandleAcks?(
      topic: string,
      payload: Buffer,
      packet: MqttPublish,
      done: (errorOrCode: Error | number) => void,
    ): void;
  };
  /** Where packets are written to. */
  readonly stream: { write(bytes: Uint8Array): unknown };
  /** With an error, `done` goes on to the next packet without acknowledging this one. */
  handleMessage(packet: MqttPublish, done: (error?: Error) => void): void;
  publish(
    topic: string,
    body: Buffer,
    options: {
      qos: 0 | 1 | 2;
      retain: boolean;
      properties?: { userProperties: Record<string, string> };
    },
    done: (error?: Error | null) => void,
  ): unknown;
  /** The packet id of the last `publish`. */
  getLastMessageId(): number;
  subscribe(
    topic: string,
    options: { qos: 0 | 1 | 2 },
    done: (error: Error | null, granted?: { qos: number }[]) => void,
  ): unknown;
  unsubscribe(topic: string, done: (error?: Error) => void): unknown;
  end(force: boolean, done: () => void): unknown;
  on(event: 'connect', listener: (packet: MqttConnack) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'close', listener: () => void): unknown;
  on(event: 'packetreceive', listener: (packet: MqttReceived) => void): unknown;
}

export interface MqttConnack {
  /** The broker has the session of before. */
  sessionPresent?: boolean;
  properties?: { maximumPacketSize?: number; receiveMaximum?: number };
}

export interface MqttPublish {
  topic: string;
  qos: number;
  retain: boolean;
  /** It may have been sent before. */
  dup?: boolean;
  /** With QoS 1 and 2. */
  messageId?: number;
  payload: string | Buffer;
  properties?: { userProperties?: Record<string, string | string[]> };
}

export interface MqttReceived {
  cmd: string;
  messageId?: number;
  reasonCode?: number;
}
