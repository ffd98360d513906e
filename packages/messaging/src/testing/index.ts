export { type BrokerUnderTest, brokerContract } from './broker-contract.ts';
export { type BrokerUnderOutages, brokerOutages } from './broker-outages.ts';
export { type MemoryBroker, memoryBroker } from './memory-broker.ts';
export { type StoreUnderTest, storeContract } from './store-contract.ts';
export { type TcpProxy, tcpProxy } from './tcp-proxy.ts';
