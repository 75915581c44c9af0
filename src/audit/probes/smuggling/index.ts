/** Probes of smuggling. */

export { endOfData } from './end-of-data.ts';
export { bdatDot } from './bdat.ts';
export { outbound } from './outbound.ts';
