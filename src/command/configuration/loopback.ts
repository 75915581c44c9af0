/** Which addresses never leave this machine. */

/** Whether an IP address in its normal form is loopback: 127.0.0.0/8 or ::1. */
export function isLoopback(address: string): boolean {
  return address === '::1' || /^127(?:\.\d{1,3}){3}$/.test(address);
}
