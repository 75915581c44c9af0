/** Probes of the relay. */

export { openRelay } from './open-relay.ts';
