/** Bodies in memory that are too large for the database are written to the spool first. */

import type { Content, Spool } from '#store/content.ts';
import type { Acceptance, OperationName, Operations } from '#store/operations.ts';
import type { SpoolRoom } from './spool.ts';

/** Every content that an operation brings along. */
export function contentsOf(operation: OperationName, input: unknown): readonly Content[] {
  switch (operation) {
    case 'accept':
      return acceptanceContents((input as Operations['accept']['input']).acceptance);
    case 'append':
      return (input as Operations['append']['input']).messages.map(({ content }) => content);
    case 'settle':
      return (input as Operations['settle']['input']).notices.flatMap(acceptanceContents);
    default:
      return [];
  }
}

/** The same input with every large body in a file; `discard` them when it was not written. */
export async function outsource<K extends OperationName>(
  room: SpoolRoom,
  operation: K,
  input: Operations[K]['input'],
): Promise<{ readonly input: Operations[K]['input']; readonly discard: () => void }> {
  const moved = new Map<Content['body'], Content['body']>();
  const spools: Spool[] = [];
  const discard = (): void => {
    for (const spool of spools) spool.discard();
  };
  for (const { body } of contentsOf(operation, input)) {
    if (body instanceof Uint8Array && body.length > room.inlineBytes && !moved.has(body)) {
      const spool = room.spool();
      spools.push(spool);
      try {
        // The body stays its owner's.
        await spool.write(new Uint8Array(body));
        moved.set(body, await spool.finish());
      } catch (thrown) {
        discard();
        throw thrown;
      }
    }
  }
  const move = (content: Content): Content => ({
    head: content.head,
    body: moved.get(content.body) ?? content.body,
  });
  return { input: withContents(operation, input, move) as Operations[K]['input'], discard };
}

function withContents(
  operation: OperationName,
  input: unknown,
  move: (content: Content) => Content,
): unknown {
  switch (operation) {
    case 'accept': {
      const { acceptance } = input as Operations['accept']['input'];
      return { acceptance: moveAcceptance(acceptance, move) };
    }
    case 'append': {
      const append = input as Operations['append']['input'];
      const messages = append.messages.map((one) => ({ ...one, content: move(one.content) }));
      return { ...append, messages };
    }
    default: {
      const settle = input as Operations['settle']['input'];
      return { ...settle, notices: settle.notices.map((one) => moveAcceptance(one, move)) };
    }
  }
}

function moveAcceptance(acceptance: Acceptance, move: (content: Content) => Content): Acceptance {
  const { relay } = acceptance;
  return {
    ...acceptance,
    deliveries: acceptance.deliveries.map((one) => ({ ...one, content: move(one.content) })),
    relay: relay === undefined ? undefined : { ...relay, content: move(relay.content) },
  };
}

function acceptanceContents(acceptance: Acceptance): readonly Content[] {
  const contents = acceptance.deliveries.map(({ content }) => content);
  return acceptance.relay === undefined ? contents : [...contents, acceptance.relay.content];
}
