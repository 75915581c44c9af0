/** INBOX as a maildrop: the messages of one moment, in columns, 20 octets for each. */

import type { AccountId, ContentId, MailboxId, Uid } from '#base/brand.ts';
import { Failure, invariant } from '#base/failure.ts';
import type { Maildrop } from '#protocol/pop3/questions.ts';
import type { MailReader, MessageDetail, UidRanges } from '#store/mail.ts';

/** Rows read at once; each read is one snapshot, and new mail is not expected in a session. */
const BATCH_ROWS = 2_000;
const LAST_UID = 4_294_967_295;

export class StoredMaildrop implements Maildrop {
  readonly mailbox: MailboxId;
  readonly #uidValidity: number;
  #count = 0;
  #totalBytes = 0;
  #uids: Uint32Array;
  #sizes: Uint32Array;
  #heads: Uint32Array;
  #contents: Float64Array;

  constructor(mailbox: MailboxId, uidValidity: number, expected: number) {
    this.mailbox = mailbox;
    this.#uidValidity = uidValidity;
    this.#uids = new Uint32Array(expected);
    this.#sizes = new Uint32Array(expected);
    this.#heads = new Uint32Array(expected);
    this.#contents = new Float64Array(expected);
  }

  get count(): number {
    return this.#count;
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  sizeBytes(index: number): number {
    return this.#sizes[index] ?? 0;
  }

  headBytes(index: number): number {
    return this.#heads[index] ?? 0;
  }

  /** Never used again for another message, as long as UIDVALIDITY and UID are not. */
  uniqueId(index: number): string {
    return `${this.#uidValidity}.${this.#uids[index] ?? 0}`;
  }

  content(index: number): ContentId {
    invariant(index >= 0 && index < this.#count, 'the message is in the maildrop');
    return (this.#contents[index] ?? 0) as ContentId;
  }

  /** UIDs of ascending indexes as ranges: only neighbours, so nothing else is ever named. */
  ranges(indexes: readonly number[]): [from: number, to: number][] {
    const ranges: [from: number, to: number][] = [];
    for (const index of indexes) {
      invariant(index >= 0 && index < this.#count, 'the message is in the maildrop');
      const uid = this.#uids[index] ?? 0;
      const last = ranges.at(-1);
      if (last !== undefined && last[1] + 1 === uid) last[1] = uid;
      else ranges.push([uid, uid]);
    }
    return ranges;
  }

  add(message: MessageDetail): void {
    if (this.#count === this.#uids.length) this.#grow();
    this.#uids[this.#count] = message.uid;
    this.#sizes[this.#count] = message.sizeBytes;
    this.#heads[this.#count] = message.headBytes;
    this.#contents[this.#count] = message.content;
    this.#count += 1;
    this.#totalBytes += message.sizeBytes;
  }

  #grow(): void {
    const length = Math.max(64, this.#uids.length * 2);
    const wider = (column: Uint32Array): Uint32Array => {
      const copy = new Uint32Array(length);
      copy.set(column);
      return copy;
    };
    this.#uids = wider(this.#uids);
    this.#sizes = wider(this.#sizes);
    this.#heads = wider(this.#heads);
    const contents = new Float64Array(length);
    contents.set(this.#contents);
    this.#contents = contents;
  }
}

/** Lists the account's INBOX, at most `maxMessages`, the oldest first. Fails temporarily. */
export async function loadMaildrop(
  mail: MailReader,
  account: AccountId,
  maxMessages: number,
): Promise<StoredMaildrop> {
  const inbox = await mail.mailbox(account, 'INBOX');
  if (inbox === undefined) throw Failure.temporary('no-inbox', 'the account has no INBOX');
  const expected = Math.min(inbox.messages, maxMessages);
  const maildrop = new StoredMaildrop(inbox.id, inbox.uidValidity, expected);
  for (let from = 1; from <= LAST_UID && maildrop.count < maxMessages;) {
    const limit = Math.min(BATCH_ROWS, maxMessages - maildrop.count);
    const ranges: UidRanges = [[from, LAST_UID]];
    const rows = await mail.messages(inbox.id, ranges, { limit });
    for (const row of rows) maildrop.add(row);
    const last: Uid | undefined = rows.at(-1)?.uid;
    if (last === undefined || rows.length < limit) break;
    from = last + 1;
  }
  return maildrop;
}
