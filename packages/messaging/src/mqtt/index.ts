export { bodyLayout, type MqttLayout, propertiesLayout } from './layout.ts';
export type { MqttClient, MqttModule, MqttPublish } from './module.ts';
export { mqttBroker } from './mqtt-broker.ts';
export { MQTT_BROKER_DEFAULTS, type MqttBrokerOptions, type MqttTls } from './options.ts';
