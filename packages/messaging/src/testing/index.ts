export { type BrokerUnderTest, brokerContract } from './broker-contract.ts';
export { type MemoryBroker, memoryBroker } from './memory-broker.ts';
export { type StoreUnderTest, storeContract } from './store-contract.ts';
