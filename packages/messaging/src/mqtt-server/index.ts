export {
  MQTT_SERVER_DEFAULTS,
  type MqttServer,
  type MqttServerOptions,
  startMqttServer,
} from './mqtt-server.ts';
