/** All shapes of the complexity gate; src/message/hostile.test.ts has those of the reader of messages. */

import type { Shape } from '../linear.ts';
import { OUTER_SHAPES } from './outside.ts';
import { PARSER_SHAPES } from './parsers.ts';
import { SESSION_SHAPES } from './sessions.ts';

export const SHAPES: readonly Shape[] = [...SESSION_SHAPES, ...PARSER_SHAPES, ...OUTER_SHAPES];
