export { findProgram } from './find-program.ts';
export { freePort } from './free-port.ts';
export { type NatsServer, natsServer } from './nats.ts';
export { type PostgresServer, postgresServer } from './postgres.ts';
export { type PrometheusServer, prometheusServer } from './prometheus.ts';
export { type RedisServer, redisServer } from './redis.ts';
export { type ServerCommand, type ServerProcess, startServer } from './server-process.ts';
export { Unavailable, withServer } from './with-server.ts';
export { type ZipkinServer, zipkinServer } from './zipkin.ts';
