/** UIDs only grow: what was on disk once is still there, under the same UID, and new ones are higher. */

import type { Admd } from './admd.ts';
import { type Platter, readMailboxes } from './platter.ts';

interface Known {
  readonly uidValidity: number;
  readonly uidNext: number;
  /** By UID, which message. */
  readonly mail: ReadonlyMap<number, string>;
}

type Looked = Pick<Platter, 'mailboxes'> & {
  readonly mail: readonly Pick<Platter['mail'][number], 'mailbox' | 'uid' | 'text'>[];
};

/** Nobody expunges in the simulation, so nothing may go either. */
export class UidWatch {
  readonly violations: string[] = [];
  readonly #known = new Map<string, Known>();

  /** Looks at a host that runs. */
  look(admd: Admd, directory: string): void {
    const platter = readMailboxes(directory);
    if (platter !== undefined) this.check(admd.directory.domain, platter);
  }

  check(host: string, { mailboxes, mail }: Looked): void {
    for (const { id, uidValidity, uidNext } of mailboxes) {
      const here = mail.filter(({ mailbox }) => mailbox === id);
      const now = new Map(here.map(({ uid, text }) => [uid, text.split('\r\n\r\n', 1)[0] ?? '']));
      const name = `${host} mailbox ${id}`;
      const before = this.#known.get(name);
      if (before !== undefined) this.#compare(name, before, { uidValidity, uidNext, mail: now });
      if (here.some(({ uid }) => uid >= uidNext)) this.violations.push(`uid: ${name}: UIDNEXT low`);
      this.#known.set(name, { uidValidity, uidNext, mail: now });
    }
  }

  #compare(name: string, before: Known, now: Known): void {
    if (now.uidValidity !== before.uidValidity) this.violations.push(`uid: ${name}: UIDVALIDITY`);
    if (now.uidNext < before.uidNext) this.violations.push(`uid: ${name}: UIDNEXT fell`);
    for (const [uid, text] of before.mail) {
      if (now.mail.get(uid) !== text) this.violations.push(`uid: ${name}: ${uid} is another`);
    }
    for (const uid of now.mail.keys()) {
      if (!before.mail.has(uid) && uid < before.uidNext) {
        this.violations.push(`uid: ${name}: ${uid} is new and below UIDNEXT`);
      }
    }
  }
}
