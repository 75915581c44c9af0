/** Probes for who answers: product, version, names, and what changes under TLS. */

export { product } from './product.ts';
export { names } from './names.ts';
export { tlsDifference } from './tls-difference.ts';
export { knownWeakness } from './known-weakness.ts';
