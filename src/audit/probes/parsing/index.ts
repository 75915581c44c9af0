/** Probes of parsing. */

export { accessLines, literals } from './access.ts';
export { lyingChunks, refusedChunks } from './chunks.ts';
export { commandLines } from './command-lines.ts';
export { content } from './content.ts';
export { crossProtocol } from './cross-protocol.ts';
export { injection, loginInjection } from './injection.ts';
