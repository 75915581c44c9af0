/** Probes for TLS: versions, ciphers, what a handshake agrees on, certificates. */

export { tlsVersions } from './versions.ts';
export { tlsCiphers } from './ciphers.ts';
export { tlsAgreement } from './agreement.ts';
export { tlsCertificate } from './certificate.ts';
export { tlsHost } from './host.ts';
