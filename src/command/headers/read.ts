/** Reads all messages of the sources, one after the other, and examines each. */

import { type Examined, Examination, type ExamineOptions } from '#forensics/examine.ts';
import { containerOf } from '#forensics/input/container.ts';
import { type MboxForm, MboxSplitter, type MessageSink } from '#forensics/input/mbox.ts';
import { CommandError, EXIT } from '../exit.ts';
import { type Source, holdsMany } from './sources.ts';

export interface ReadOptions {
  readonly examine: ExamineOptions;
  readonly form: MboxForm | undefined;
  /** Called after each piece that was read. */
  readonly progress: (bytes: number) => void;
}

/** Messages of one piece of an mbox that wait for their verdict. */
type Done = Promise<Examined>;

/**
 * The messages in order. Memory: one piece, and the messages that end in it. A `CommandError` says
 * what a file that is none is instead.
 */
export async function* examineSource(
  source: Source,
  options: ReadOptions,
): AsyncGenerator<Examined> {
  let take: Taker | undefined;
  for await (const piece of source.pieces()) {
    if (piece.length === 0) continue;
    take ??= takerOf(source, piece, options);
    // A mailbox of tiny messages: a piece holds thousands, so it is taken in slices.
    for (let at = 0; at < piece.length; at += SLICE_BYTES) {
      take.push(piece.subarray(at, at + SLICE_BYTES));
      yield* finished(take.done);
    }
    options.progress(piece.length);
  }
  take?.finish();
  yield* finished(take?.done ?? []);
}

const SLICE_BYTES = 65_536;

async function* finished(done: Done[]): AsyncGenerator<Examined> {
  for (const one of done.splice(0)) yield await one;
}

interface Taker {
  readonly done: Done[];
  push(bytes: Uint8Array): void;
  finish(): void;
}

function takerOf(source: Source, start: Uint8Array, options: ReadOptions): Taker {
  const done: Done[] = [];
  const other = containerOf(start);
  if (other !== undefined) {
    const cure = 'Unpack it, or save the messages again as they came.';
    throw new CommandError(EXIT.data, `${source.name}: is ${other}, no message`, cure);
  }
  if (!holdsMany(start)) {
    const one = new Examination(source.name, options.examine);
    return {
      done,
      push: (bytes) => one.push(bytes),
      finish: () => void done.push(one.finish()),
    };
  }
  let number = 0;
  const open = (): MessageSink => {
    number += 1;
    const one = new Examination(`${source.name}:${number}`, options.examine);
    return { push: (bytes) => one.push(bytes), end: () => void done.push(one.finish()) };
  };
  const { peek } = source;
  const looksAhead = (offset: number): boolean | undefined =>
    peek === undefined ? undefined : beginsMessage(peek(offset, 7));
  const splitter = new MboxSplitter(open, { form: options.form, looksAhead });
  return { done, push: (bytes) => splitter.push(bytes), finish: () => splitter.finish() };
}

/** The file's end, or `From ` behind at most one empty line. */
function beginsMessage(octets: Uint8Array): boolean {
  const text = Buffer.from(octets).toString('latin1');
  return octets.length <= 2 || /^(?:\r?\n)?From /.test(text);
}
