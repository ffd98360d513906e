/** Work for a thread of its own: how many primes there are below `below`. */
export default function countPrimes({ below }: { readonly below: number }): number {
  let count = 0;
  for (let n = 2; n < below; n += 1) {
    let prime = true;
    for (let d = 2; d * d <= n && prime; d += 1) prime = n % d !== 0;
    if (prime) count += 1;
  }
  return count;
}
