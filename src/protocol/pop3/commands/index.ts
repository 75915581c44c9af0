/** The commands of POP3: one line each. */

export { auth } from './auth.ts';
export { capa } from './capa.ts';
export { dele } from './dele.ts';
export { list } from './list.ts';
export { noop } from './noop.ts';
export { pass } from './pass.ts';
export { quit } from './quit.ts';
export { retr } from './retr.ts';
export { rset } from './rset.ts';
export { stat } from './stat.ts';
export { stls } from './stls.ts';
export { top } from './top.ts';
export { uidl } from './uidl.ts';
export { user } from './user.ts';
