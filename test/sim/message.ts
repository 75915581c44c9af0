/** A message as the checks see it: who made which copy of what, read from its own header. */

/** One delivery status notification. */
export interface Notice {
  /** The server that wrote it, and its name for the message it is about. */
  readonly host: string;
  readonly about: string;
  readonly recipients: readonly { readonly address: string; readonly action: string }[];
}

export interface SeenMessage {
  /** The sender's mark; undefined: not one of ours, a notice for example. */
  readonly token: string | undefined;
  /** Hops, the last one first: which host gave it which id. A notice begins with its own. */
  readonly hops: readonly { readonly host: string; readonly id: string }[];
  readonly body: string;
  readonly notice: Notice | undefined;
  /** To whom a notice goes. */
  readonly to: string;
}

/** Reads it. */
export function readMessage(text: string): SeenMessage {
  const end = text.indexOf('\r\n\r\n');
  const head = `\r\n${end < 0 ? text : text.slice(0, end)}\r\n`.replaceAll(/\r\n[ \t]+/g, ' ');
  const body = end < 0 ? '' : text.slice(end + 4);
  const hops = [...head.matchAll(/\r\nReceived: .*? by (\S+) with .*? id ([0-9A-Z]+)/g)].map(
    ([, host = '', id = '']) => ({ host, id }),
  );
  const notice = /multipart\/report/i.test(head) ? readNotice(body) : undefined;
  const own = /\r\nMessage-ID: <([0-9A-Z]+)@(mx\.[^>]+)>/i.exec(head);
  if (notice !== undefined && own !== null) hops.push({ host: own[2] ?? '', id: own[1] ?? '' });
  return {
    token: notice === undefined ? /\r\nX-Token: (\S+)/.exec(head)?.[1] : undefined,
    hops,
    body,
    notice,
    to: /\r\nTo: <([^>]*)>/.exec(head)?.[1] ?? '',
  };
}

function readNotice(body: string): Notice | undefined {
  const start = body.indexOf('\r\nReporting-MTA:');
  if (start < 0) return undefined;
  const [own = '', ...blocks] = body
    .slice(start, body.indexOf('\r\n--', start))
    .replaceAll(/\r\n[ \t]+/g, ' ')
    .split('\r\n\r\n');
  const recipients = blocks.flatMap((block) => {
    const address = /Final-Recipient: *rfc822; *(\S+)/i.exec(block)?.[1];
    const action = /Action: *(\S+)/i.exec(block)?.[1] ?? '';
    return address === undefined ? [] : [{ address, action }];
  });
  return {
    host: /Reporting-MTA: *dns; *(\S+)/i.exec(own)?.[1] ?? '',
    about: /X-Postern-Queue-Id: *(\S+)/i.exec(own)?.[1] ?? '',
    recipients,
  };
}
