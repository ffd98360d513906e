export type { MqttClient, MqttModule } from './module.ts';
export { mqttBroker } from './mqtt-broker.ts';
export { MQTT_BROKER_DEFAULTS, type MqttBrokerOptions } from './options.ts';
