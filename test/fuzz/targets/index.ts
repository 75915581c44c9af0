/** Everything that is fuzzed. */
export { smtp } from './smtp-server.ts';
export { client, replies } from './smtp-client.ts';
export { imap } from './imap-server.ts';
export { pop3 } from './pop3-server.ts';
export { sasl } from './sasl.ts';
export { proxy } from './proxy.ts';
export { message } from './message.ts';
export { addresses, dates, transfer, words } from './text.ts';
export { compose, notice } from './compose.ts';
export { configuration, dns, terminal } from './outside.ts';
export { syntax } from './imap-syntax.ts';
export { heads, records } from './trust.ts';
