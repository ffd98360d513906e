export { type BrokerUnderTest, brokerContract } from './contracts/broker-contract.ts';
export { type StoreUnderTest, storeContract } from './contracts/store-contract.ts';
export { type MemoryBroker, memoryBroker } from './memory-broker.ts';
export { type BrokerUnderOutages, brokerOutages } from './outages/broker-outages.ts';
export { type TcpProxy, tcpProxy } from './servers/tcp-proxy.ts';
