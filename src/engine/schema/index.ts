/** The migrations, in order. */

export { initial } from './0001-initial.ts';
