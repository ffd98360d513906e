import { pipeline, protect, retry } from '@holdfast/core';

const patient = pipeline('prices', [retry({ delayMs: 0 })]);

/** For the test of the decorator. */
export class Prices {
  attempts = 0;
  readonly #each: number;

  constructor(each: number) {
    this.#each = each;
  }

  @protect(patient)
  async of(item: string, count: number): Promise<{ item: string; price: number }> {
    this.attempts += 1;
    if (this.attempts < 3) throw new Error('down');
    return { item, price: this.#each * count };
  }
}
