/** What a migration is. */

/** One step from schema `number - 1` to `number`; its SQL sets `user_version` itself. */
export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
}
