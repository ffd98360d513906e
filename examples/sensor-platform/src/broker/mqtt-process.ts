/** The broker, a process of its own: `mqtt-process.ts --port 1884 --data DIR`. */
import '@holdfast/messaging/mqtt-broker';
