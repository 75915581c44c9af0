/** The rules about main.cf: one line each. */

export { heloNotRequired, noErrorLimit, noSizeLimit } from './parsing.ts';
export { bareNewline, unauthorisedPipelining } from './parsing.ts';
export { loginMismatch, mynetworksWide, proxyProtocol, relayUnrestricted } from './relaying.ts';
export { untrustedRouting, xclientOpen } from './relaying.ts';
export { catchAllLocal, loginInReceived, relayRecipientsUnknown } from './telling.ts';
export { unknownUserTemporary, versionInBanner, vrfyOn } from './telling.ts';
export { anonymousLogin, authInClear, noTlsIn, noTlsOut, oldTls, weakCiphers } from './tls.ts';
