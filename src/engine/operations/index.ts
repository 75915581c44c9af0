/** All operations by their names in store/operations.ts: one file each, one line here. */

export { accept } from './accept.ts';
export { addAccount } from './add-account.ts';
export { addDomain } from './add-domain.ts';
export { append } from './append.ts';
export { copy } from './copy.ts';
export { createMailbox } from './create-mailbox.ts';
export { deleteMailbox } from './delete-mailbox.ts';
export { expunge } from './expunge.ts';
export { ledger } from './ledger.ts';
export { queueCommand } from './queue-command.ts';
export { remember } from './remember.ts';
export { removeAccount } from './remove-account.ts';
export { removeAlias } from './remove-alias.ts';
export { removeDomain } from './remove-domain.ts';
export { renameMailbox } from './rename-mailbox.ts';
export { setAccountEnabled } from './set-account-enabled.ts';
export { setAlias } from './set-alias.ts';
export { setCatchAll } from './set-catch-all.ts';
export { setCredentials } from './set-credentials.ts';
export { settle } from './settle.ts';
export { storeFlags } from './store-flags.ts';
export { subscribe } from './subscribe.ts';
export { sweep } from './sweep.ts';
