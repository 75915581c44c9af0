/** Trouble in the queue: mail that waits long, mail that is held. */

import { bad, better, type Diagnosis, type DoctorCheck, good } from '../check.ts';

const MESSAGES = 10_000;
const LONG_MS = 14_400_000;
const MANY = 1_000;

export const queue: DoctorCheck = {
  name: 'queue',
  run: async ({ queue: reader, world }) => {
    const messages = await reader.list(MESSAGES);
    const nowMs = world.clock.now();
    const held = messages.filter(({ recipients }) =>
      recipients.some((one) => one.state === 'held'),
    );
    const old = messages.filter(({ acceptedMs }) => nowMs - acceptedMs > LONG_MS);
    const found: Diagnosis[] = [];
    if (held.length > 0) {
      const cure = 'See `postern queue list`; `postern queue release ID` lets it go on.';
      found.push(better('queue held', `${held.length} messages are held`, cure));
    }
    if (old.length > 0) {
      const answers = old.flatMap(({ recipients }) =>
        recipients.map((one) => one.lastAnswer ?? ''),
      );
      const last = answers.find((text) => text !== '') ?? 'no answer yet';
      const cure = 'See `postern queue list` for the last answer of each.';
      found.push(bad('queue waiting', `${old.length} messages wait for over 4 h: ${last}`, cure));
    }
    if (messages.length > MANY) {
      const cure = 'See who submitted them: `postern queue list`.';
      found.push(bad('queue size', `${messages.length} messages are waiting`, cure));
    }
    if (found.length === 0) found.push(good('queue', `${messages.length} messages, none for long`));
    return found;
  },
};
