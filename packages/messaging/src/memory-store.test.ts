import { VirtualClock } from '@holdfast/core/testing';
import { memoryStore } from './memory-store.ts';
import { storeContract } from './testing/contracts/store-contract.ts';

storeContract('memoryStore', async () => {
  const clock = new VirtualClock();
  return { store: memoryStore({ clock }), elapse: (ms) => clock.advance(ms) };
});
