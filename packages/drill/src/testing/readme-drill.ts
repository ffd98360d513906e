import type { Drill, Submission } from '@holdfast/drill';

/** Work that may not be lost: `POST /work`, answered 202 with the id we gave it. */
export const job: Submission = {
  request: (attempt) => ({
    method: 'POST',
    path: '/work',
    headers: { 'Idempotency-Key': attempt },
  }),
  judge({ status, json }) {
    if (status === 202) return { kind: 'accepted', id: String(json.id) };
    if (status >= 400 && status < 500) return { kind: 'refused', why: `status ${status}` };
    return { kind: 'unknown', why: `status ${status}` };
  },
};

export const killUnderLoad: Drill<unknown> = {
  name: 'kill',
  promise: 'killed under load, the service loses nothing it has accepted.',
  async script(run) {
    const traffic = run.traffic(job, 100);
    await run.burst(job, 40);

    await run.kill('service');
    const { status } = await run.request({ path: '/stats' });
    run.check('Nobody answers.', status === 0, status);

    await run.start('service');
    const stats = () => run.http.send({ path: '/stats' });
    await run.recovered({
      'first good answer': async () => (await stats()).status === 200,
      'queue empty': async () => (await stats()).json.queued === 0,
    });
    await traffic.stop();
  },
};
