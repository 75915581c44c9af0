/** The migrations, in order. */

export { initial } from './0001-initial.ts';
export { queueTls } from './0002-queue-tls.ts';
export { search } from './0003-search.ts';
export { ledgerIndex } from './0004-ledger-index.ts';
export { memories } from './0005-memories.ts';
export { heads } from './0006-heads.ts';
export { threadNews } from './0007-thread-news.ts';
