/**
 * Apache Kafka in place of the broker: `kafka-process.ts --port 9094 --data DIR`. It is fetched
 * from Maven Central the first time; then this process becomes the JVM.
 */
import '@holdfast/messaging/kafka-broker';
