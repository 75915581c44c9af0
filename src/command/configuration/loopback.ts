/** Which addresses never leave this machine, and how it reaches its own listeners. */

/** Whether an IP address in its normal form is loopback: 127.0.0.0/8 or ::1. */
export function isLoopback(address: string): boolean {
  return address === '::1' || /^127(?:\.\d{1,3}){3}$/.test(address);
}

/** The address to connect to where a listener listens on this one: loopback for "on all". */
export function fromHere(address: string): string {
  return UNSPECIFIED.get(address) ?? address;
}

const UNSPECIFIED: ReadonlyMap<string, string> = new Map([
  ['0.0.0.0', '127.0.0.1'],
  ['::', '::1'],
]);
